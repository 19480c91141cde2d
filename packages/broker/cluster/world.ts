// Who is there in a leg: publishers, subscribers, members of a share, clients that leave wills; and how they come to rest.

import { type Random, seeded } from "../../tls13/fuzz/random.ts"
import { textOf } from "../crash/said.ts"
import { pause, retainedBy } from "../crash/world.ts"
import type { CheckName } from "./checks/checks.ts"
import { lost } from "./checks/delivered.ts"
import { retainedCheck } from "./checks/retained.ts"
import { shared } from "./checks/shared.ts"
import { fateOf } from "./checks/wills.ts"
import { Words } from "./checks/words.ts"
import { ClusterPublisher } from "./clients/publisher.ts"
import type { Recorder } from "./clients/recorder.ts"
import { ClusterSubscriber } from "./clients/subscriber.ts"
import { Traveller } from "./clients/traveller.ts"
import { WillVisits } from "./clients/wills.ts"
import { ZeroPublisher } from "./clients/zero.ts"
import type { Subscription } from "./history.ts"
import type { Node } from "./servers/node.ts"

/** Milliseconds in which everybody is served again when all is whole. */
const patience = 60_000
/** Milliseconds without a message after which none is taken to come. */
const quiet = 1500
/** Clients that leave a will in a round. */
const visitors = 5

const subscriptions: readonly Subscription[] = [
  { clientId: "there", filters: ["messages/#", "wills/#"] },
  { clientId: "roams", filters: ["messages/+/1", "messages/p1/2", "messages/p3/2", "messages/z1/0", "wills/#"] },
  { clientId: "exact", filters: ["p1", "p2", "p3", "p4"].flatMap((by) => [`messages/${by}/1`, `messages/${by}/2`]) },
  { clientId: "away", filters: ["messages/+/2", "wills/#"] },
]
const members: readonly Subscription[] = ["g1", "g2", "g3"].map((clientId) => {
  return { clientId, filters: ["messages/#"], share: "group" }
})

export class World {
  readonly publishers: readonly ClusterPublisher[]
  readonly travellers: readonly Traveller[]
  readonly #zeros: readonly ZeroPublisher[]
  readonly #subscribers: readonly ClusterSubscriber[]
  readonly #away: Traveller
  readonly #recorder: Recorder
  readonly #nodes: readonly Node[]
  readonly #random: Random
  readonly #wills: WillVisits | undefined
  readonly #visits = new Set<Promise<void>>()

  /** @param without checks that are left out, and so are the clients for them */
  constructor(recorder: Recorder, nodes: readonly Node[], seed: number, without: ReadonlySet<CheckName>) {
    this.#recorder = recorder
    this.#nodes = nodes
    this.#random = seeded(seed, 1)
    this.publishers = ([5, 4, 5, 4] as const).map((version, i) => new ClusterPublisher(`p${i + 1}`, version, recorder))
    this.#zeros = ([5, 4] as const).map((version, i) => new ZeroPublisher(`z${i + 1}`, version, recorder))
    const all = [...subscriptions, ...(without.has("shared") ? [] : members)]
    recorder.history.subscriptions.push(...all)
    const versionOf = ({ clientId }: Subscription) => (clientId === "away" || clientId === "exact" ? 4 : 5)
    this.#subscribers = all.map((one) => new ClusterSubscriber(one, versionOf(one), recorder))
    const clients = [...this.#subscribers, ...this.publishers, ...this.#zeros]
    this.travellers = clients.map((client, i) => new Traveller(client, nodes, i, seeded(seed, 10 + i)))
    this.#away = this.travellers.find(({ client }) => client.id === "away")!
    this.#wills = without.has("wills") ? undefined : new WillVisits(recorder, nodes, seeded(seed, 2))
  }

  get acknowledged(): number {
    return this.publishers.reduce((sum, { total }) => sum + total, 0)
  }

  get refusals(): number {
    return this.publishers.reduce((sum, { refusals }) => sum + refusals, 0)
  }

  get moves(): number {
    return this.travellers.reduce((sum, { moves }) => sum + moves, 0)
  }

  /** Everybody has a session, and the subscriptions, before the first message. @returns what is wrong */
  async begin(): Promise<readonly string[]> {
    for (const traveller of this.travellers) if (!this.#speaks(traveller)) void traveller.live()
    const subscribed = () => this.#subscribers.every((one) => one.subscribed)
    if (!(await until(subscribed, patience))) {
      const ids = this.#subscribers.filter((one) => !one.subscribed).map(({ id }) => id)
      return [`${ids.join(", ")}: no SUBACK within ${patience / 1000} s`]
    }
    for (const traveller of this.travellers) if (this.#speaks(traveller)) void traveller.live()
    return []
  }

  #speaks({ client }: Traveller): boolean {
    return !(client instanceof ClusterSubscriber)
  }

  /** Some move, and some come to leave a will, while something is broken for so many milliseconds. */
  async stir(duration: number, round: number): Promise<void> {
    const random = this.#random
    if (round % 3 === 1) this.#away.away()
    else this.#away.present = true
    for (let i = 0; i < visitors; i++) this.#visit(random.integer(duration + 3000))
    const moves = Array.from({ length: 2 + random.integer(3) }, async () => {
      const [traveller, beside, at] = [random.pick(this.travellers), random.oneIn(2), random.integer(duration + 2000)]
      await pause(at)
      await traveller.move(beside)
    })
    await Promise.all(moves)
  }

  #visit(at: number): void {
    const wills = this.#wills
    if (wills === undefined) return
    const visit = pause(at).then(() => wills.visit())
    this.#visits.add(visit)
    void visit.then(() => this.#visits.delete(visit))
  }

  /** All is whole: each publisher is answered again, and everybody is connected. @returns what is wrong */
  async served(): Promise<readonly string[]> {
    const before = new Map(this.publishers.map((one) => [one, one.total]))
    const answered = (one: ClusterPublisher) => one.total > before.get(one)! + 3
    const there = ({ client, present }: Traveller) => !present || client.connected
    const all = () => this.publishers.every(answered) && this.travellers.every(there)
    if (await until(all, patience)) return []
    const silent = this.publishers.filter((one) => !answered(one)).map(({ id }) => `${id} is not answered`)
    const lost = this.travellers.filter((one) => !there(one)).map(({ client }) => `${client.id} has no connection`)
    return [`${[...silent, ...lost].join(", ")}, ${patience / 1000} s after all is whole`]
  }

  /** Milliseconds after everything had come home until all nodes had the last retained messages. */
  retainedLate = 0

  /** Nothing is broken any more: everything comes home in so many milliseconds. @returns what is wrong */
  async home(patience: number): Promise<readonly string[]> {
    for (const publisher of [...this.publishers, ...this.#zeros]) publisher.stopped = true
    this.#away.present = true
    await Promise.all(this.#visits)
    const idle = () => this.publishers.every((one) => one.idle)
    const connected = () => this.travellers.every(({ client }) => client.connected)
    const silent = () => performance.now() - Math.max(...this.#subscribers.map(({ lastAt }) => lastAt)) > quiet
    const alone = () => this.travellers.every(({ client }) => client.connections.count <= 1)
    const end = performance.now() + patience
    const rest = () => idle() && connected() && silent() && alone() && this.#willsCame()
    // What is late is not lost.
    const more = () => performance.now() < end
    while ((await until(rest, end - performance.now())) && this.#isMissing() && more()) await pause(1000)
    const wrong = this.publishers
      .filter((one) => !one.idle)
      .map(({ id }) => `${id}: not all of its messages are answered`)
    const atRest = performance.now()
    let unasked = await this.#allRetained()
    // Servers copy what is retained, and one of them may have just become the one that does: late is not lost.
    while (this.#isOld() && more()) {
      await pause(1000)
      unasked = await this.#allRetained()
      this.retainedLate = performance.now() - atRest
    }
    return [...wrong, ...unasked]
  }

  async #allRetained(): Promise<readonly string[]> {
    this.#recorder.history.retained.splice(0)
    const wrong: string[] = []
    for (const { name, port } of this.#nodes) wrong.push(...(await this.#retained(name, port)))
    return wrong
  }

  #isOld(): boolean {
    const { history } = this.#recorder
    return [...retainedCheck(textOf)(history, new Words(history))].length > 0
  }

  #isMissing(): boolean {
    const { history } = this.#recorder
    const words = new Words(history)
    return [...lost(history, words), ...shared(history, words)].length > 0
  }

  /** All that have to; a delay is over by then, too. */
  #willsCame(): boolean {
    const { history, now } = this.#recorder
    const must = history.wills.filter((will) => fateOf(will, history) === "must")
    const over = history.wills.every(({ end, delay }) => end === undefined || end.at + delay + 1000 < now)
    if (!over) return false
    const came = new Set(
      history.got.filter(({ taken }) => taken).map(({ clientId, payload }) => `${clientId} ${payload}`),
    )
    return must.every(({ payload }) => ["there", "roams", "away"].every((id) => came.has(`${id} ${payload}`)))
  }

  async #retained(node: string, port: number | undefined): Promise<readonly string[]> {
    if (port === undefined) return [`${node} does not listen in the end`]
    try {
      this.#recorder.history.retained.push({ node, found: await retainedBy(port) })
      return []
    } catch (error) {
      return [`a new client of ${node}: ${error instanceof Error ? error.message : error}`]
    }
  }

  /** What clients saw since they were asked. */
  *findings(): Generator<string> {
    for (const { client } of this.travellers) yield* client.wrong.splice(0)
  }

  end(): void {
    for (const traveller of this.travellers) traveller.end()
  }
}

/** @returns whether it was so in time */
async function until(condition: () => boolean, milliseconds: number): Promise<boolean> {
  const end = performance.now() + milliseconds
  while (!condition()) {
    if (performance.now() > end) return false
    await pause(50)
  }
  return true
}
