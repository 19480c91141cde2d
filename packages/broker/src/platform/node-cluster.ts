// A broker on Node.js as a node of a cluster. A broker that is none does not carry what this needs.

import type { NodeOfCluster } from "../cluster/cluster.ts"
import { openStreams } from "../cluster/nats.ts"
import type { Streams } from "../cluster/streams.ts"
import { defaultPartitions, defaultRetention } from "../config/cluster.ts"
import { type ClusterConfig, ConfigError } from "../config/config.ts"
import { answerOf } from "./answer.ts"
import { connectNats } from "./nats-socket.ts"
import { type ClusterResumption, type ResumptionNeeds, shareResumption } from "./node-resumption.ts"

/** Milliseconds for the retained messages that there are to come before the first client; the others come afterwards. */
const mirrorTime = 30_000

export interface Joined {
  /** What the cluster is, in words. */
  readonly about: string
  readonly resumption: ClusterResumption
}

/**
 * Reaches the servers, and has what is retained, and what tickets are sealed with. Throws ConfigError with one line. `trouble` is told
 * what goes wrong later.
 */
export async function joinCluster(node: NodeOfCluster, config: ClusterConfig, needs: ResumptionNeeds): Promise<Joined> {
  const { trouble } = needs
  const { nats, name = "puremq", partitions = defaultPartitions, replicas = 1, credentials, ca, cert, key } = config
  const tls = ca === undefined && cert === undefined ? {} : { tls: tlsOf(ca, cert, key) }
  let streams: Streams
  try {
    streams = await openStreams({
      connect: (options) => connectNats(options, trouble),
      servers: nats,
      cluster: name,
      partitions,
      replicas,
      retention: { age: config.retention ?? defaultRetention, bytes: config.maximumBytes },
      ...(credentials !== undefined && { credentials: { credentials } }),
      ...tls,
      trouble,
    })
    node.open(streams)
  } catch (error) {
    throw new ConfigError(`cluster: ${error instanceof Error ? error.message : String(error)}`)
  }
  const resumption = await shareResumption(streams, needs)
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(resolve, mirrorTime, "late")
  })
  const mirrored = await Promise.race([answerOf(node.mirror()), late])
  clearTimeout(timer)
  if (mirrored === "late")
    trouble("retained messages of the cluster are still coming; who subscribes now may miss some")
  const about = `cluster ${name} on NATS at ${nats.join(", ")}: ${partitions} partitions, ${replicas} ${replicas === 1 ? "replica" : "replicas"}`
  return { about, resumption }
}

function tlsOf(ca: string | undefined, cert: string | undefined, key: string | undefined) {
  return { ...(ca !== undefined && { ca }), ...(cert !== undefined && { cert }), ...(key !== undefined && { key }) }
}
