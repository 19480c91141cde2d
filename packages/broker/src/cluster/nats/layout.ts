// The streams of a cluster, and how they are made: partitions, and one of the last retained message of each topic.

import { headers as emptyHeaders } from "@nats-io/nats-core"
import { ApiError, apiErrors, type Link, later } from "./link.ts"

/** Of nats-server. 2.12 has atomic batches, lifetimes and schedules of messages, but loses copies when one of the servers ends. */
const needed = [2, 15] as const

export interface Layout {
  /** It begins the names of all streams and subjects. */
  readonly cluster: string
  readonly partitions: number
  readonly replicas: number
}

export const streamOf = ({ cluster }: Layout, partition: number): string => `${cluster}-${partition}`
export const retainedStreamOf = ({ cluster }: Layout): string => `${cluster}-retained`
export const prefixOf = ({ cluster }: Layout, partition: number): string => `${cluster}.${partition}.`
/** In the stream of retained messages: what was retained, and one mark of each partition. */
export const retained = "retained."
const marked = "marks."
/**
 * A partition's mark comes behind what is retained, in the same batch, and takes the place of the one before. Servers before 2.15 go on
 * copying, when one of them has ended, behind the last of a partition among the copies: without a mark, what another partition has
 * replaced would be copied again, and be the last.
 */
export const markSubject = "c"

export function versionProblem(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split(".").map(Number)
  if (major > needed[0] || (major === needed[0] && minor >= needed[1])) return undefined
  return `nats-server has version ${version}, and ${needed.join(".")} or newer is needed (older ones lose retained messages when one of them ends): update all servers of the cluster`
}

function partitionConfig(layout: Layout, partition: number): Record<string, unknown> {
  return {
    ...common(layout),
    name: streamOf(layout, partition),
    subjects: [`${prefixOf(layout, partition)}>`],
    // No age and no size: they would take records of sessions, too. Messages have lifetimes, and the size is watched (room.ts): with
    // schedules the servers do not refuse what is above a size, they would throw away what is old.
    max_msgs_per_subject: -1,
    allow_atomic: true,
    allow_msg_ttl: true,
    allow_msg_schedules: true,
  }
}

function retainedConfig(layout: Layout): Record<string, unknown> {
  return {
    ...common(layout),
    name: retainedStreamOf(layout),
    sources: Array.from({ length: layout.partitions }, (_, partition) => ({
      name: streamOf(layout, partition),
      subject_transforms: [
        { src: `${prefixOf(layout, partition)}r.>`, dest: `${layout.cluster}.${retained}>` },
        { src: `${prefixOf(layout, partition)}${markSubject}`, dest: `${layout.cluster}.${marked}${partition}` },
      ],
    })),
    max_msgs_per_subject: 1,
    // A lifetime is that of a partition's message: what is retained stays until another takes its place.
    allow_msg_ttl: false,
  }
}

function common({ replicas, partitions }: Layout): Record<string, unknown> {
  return {
    storage: "file",
    retention: "limits",
    discard: "old",
    num_replicas: replicas,
    allow_direct: true,
    allow_rollup_hdrs: true,
    metadata: { "puremq-partitions": String(partitions) },
  }
}

/** Makes what is not there, and changes what is there as far as it may be. Throws one line. @param patience milliseconds */
export async function makeStreams(link: Link, layout: Layout, patience: number): Promise<void> {
  const configs = Array.from({ length: layout.partitions }, (_, partition) => partitionConfig(layout, partition))
  const until = performance.now() + patience
  for (const config of [...configs, retainedConfig(layout)]) await makeStream(link, config, layout, until)
  await mark(link, layout, until)
}

/**
 * Until each partition has a mark among the copies. Where there are copies of others but none of its own, the servers begin to copy it
 * at the time of the last copy: what came before that, and before the copying began, would be left out.
 */
async function mark(link: Link, layout: Layout, until: number): Promise<void> {
  const stream = retainedStreamOf(layout)
  const partitions = Array.from({ length: layout.partitions }, (_, partition) => partition)
  for (let tries = 0; ; tries++) {
    const query = { subjects_filter: `${layout.cluster}.${marked}>` }
    const answer = await link.api(`STREAM.INFO.${stream}`, query).catch(() => undefined)
    const subjects = (answer?.["state"] as { subjects?: Record<string, number> } | undefined)?.subjects ?? {}
    const missing = partitions.filter((partition) => subjects[`${layout.cluster}.${marked}${partition}`] === undefined)
    if (answer !== undefined && missing.length === 0) return
    if (performance.now() > until) {
      throw new Error(
        `the stream ${stream} has no copies of the partitions ${missing.join(", ")}: are all servers there?`,
      )
    }
    if (answer !== undefined && tries % 5 === 0) {
      for (const partition of missing)
        await append(link, `${prefixOf(layout, partition)}${markSubject}`).catch(() => {})
    }
    await later(50)
  }
}

async function append(link: Link, subject: string): Promise<void> {
  const all = emptyHeaders()
  all.set("Nats-Rollup", "sub")
  await link.request(subject, "", 1000, all)
}

/** Of the API, what stays as it is however often it is tried: JetStream is not enabled (two), a bad configuration, subjects of another. */
const final: readonly number[] = [10039, 10076, 10052, 10065]

/** Of the API: no suitable peers; replicas without a cluster of servers; and what says that they have no room, or may not have more. */
const [noPeers, notClustered] = [10005, 10074]
const noRoom: readonly number[] = [10023, 10047, 10028, 10002, 10027]

/** What to do about an error whose words do not say it. */
function whatToDo(number: number, { replicas }: Layout): string {
  if (number === noPeers || (number === notClustered && replicas > 1)) {
    return `: ${replicas} servers with room for it are needed that know each other, as "replicas" is ${replicas}: are all of them started, with "jetstream" and the same routes?`
  }
  if (noRoom.includes(number)) return `: raise "max_file_store" of "jetstream" on the servers, or the account's limits`
  return ""
}

async function makeStream(link: Link, config: Record<string, unknown>, layout: Layout, until: number): Promise<void> {
  for (let pause = 50; ; pause = Math.min(1000, pause * 2)) {
    try {
      return await makeOnce(link, config, layout)
    } catch (error) {
      const line = error instanceof Error ? error.message : String(error)
      const stays = error instanceof Misfit || (error instanceof ApiError && final.includes(error.number))
      if (stays || performance.now() > until) {
        if (error instanceof Misfit) throw error
        const hint = error instanceof ApiError ? whatToDo(error.number, layout) : ""
        throw new Error(`the stream ${config["name"]} cannot be made: ${line}${hint}`)
      }
    }
    await later(pause)
  }
}

/** What is there is not what is wanted. */
class Misfit extends Error {}

async function makeOnce(link: Link, config: Record<string, unknown>, layout: Layout): Promise<void> {
  const name = config["name"]
  const made = await link.api(`STREAM.CREATE.${name}`, config).catch((error: unknown) => {
    if (error instanceof ApiError && error.number === apiErrors.nameInUse) return undefined
    throw error
  })
  const answer = made ?? (await change(link, config, layout))
  const stands = answer["config"] as Record<string, unknown> | undefined
  // An old server takes no notice of what it does not know.
  const missing = ["allow_atomic", "allow_msg_ttl", "allow_msg_schedules"].filter(
    (each) => config[each] === true && stands?.[each] !== true,
  )
  if (missing.length > 0) {
    throw new Misfit(
      `the servers made the stream ${name} without ${missing.join(", ")}: nats-server ${needed.join(".")} or newer is needed on all of them`,
    )
  }
}

async function change(
  link: Link,
  config: Record<string, unknown>,
  { cluster, partitions, replicas }: Layout,
): Promise<Record<string, unknown>> {
  const name = config["name"]
  const there = (await link.api(`STREAM.INFO.${name}`, {}))["config"] as Record<string, unknown>
  const made = (there["metadata"] as Record<string, string> | undefined)?.["puremq-partitions"]
  if (made !== undefined && made !== String(partitions)) {
    throw new Misfit(
      `the streams of the cluster "${cluster}" are ${made} partitions, and ${partitions} are configured: the number cannot change, configure ${made}`,
    )
  }
  // What the other nodes have acknowledged would be on fewer servers than they were told.
  const copies = Number(there["num_replicas"])
  if (copies > replicas) {
    throw new Misfit(
      `the streams of the cluster "${cluster}" have ${copies} replicas, and ${replicas} ${replicas === 1 ? "is" : "are"} configured: configure ${copies}; fewer are for the servers to be told (nats stream edit ${name} --replicas ${replicas})`,
    )
  }
  return link.api(`STREAM.UPDATE.${name}`, { ...there, ...config })
}
