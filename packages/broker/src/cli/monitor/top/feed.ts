// Asks the admin API again and again for what the screen shows. What is not answered is told, and asked again, later each time.

import type {
  BridgeModel,
  CertificatesModel,
  HandshakeFailureModel,
  NodeModel,
  RefusalModel,
} from "../../../admin/http/model.ts"
import { History } from "../../../admin/words/history.ts"
import { numbersOf } from "../../../admin/words/numbers.ts"
import { type AdminApi, type ApiAnswer, adviceFor, textIn, Unanswered } from "../api.ts"
import { bridgesIn, brokerIn, certificatesIn, clientsIn, failuresIn, nodesIn, refusalsIn } from "./answers.ts"
import type { ClientRow, Link, TopState } from "./state.ts"

/** Clients in a page, and pages in a look: of more clients each look sees others of them. */
const pageOfClients = 1000
const pagesInALook = 5
/** Milliseconds. */
const certificatesEach = 30_000
const longestWait = 10_000
/** Of the lines: twenty minutes of looks each two seconds. */
const mostPoints = 600

export class Feed {
  readonly #api: AdminApi
  readonly #interval: number
  readonly #timeout: number
  readonly #clock: () => number
  #link: Link = { state: "begins" }
  #broker: TopState["broker"]
  readonly #history = new History(mostPoints)
  #bridges: readonly BridgeModel[] = []
  #nodes: readonly NodeModel[] = []
  #certificates: CertificatesModel | undefined
  #certificatesAt = Number.NEGATIVE_INFINITY
  #failures: readonly HandshakeFailureModel[] = []
  #refusals: readonly RefusalModel[] = []
  #clients: readonly ClientRow[] = []
  /** A walk over clients that takes several looks. */
  #walked: ClientRow[] = []
  #cursor: string | undefined
  #failed = 0

  /** @param interval seconds @param timeout milliseconds for each answer @param clock milliseconds since 1970 */
  constructor(api: AdminApi, interval: number, timeout: number, clock: () => number) {
    this.#api = api
    this.#interval = interval
    this.#timeout = timeout
    this.#clock = clock
  }

  get state(): TopState {
    return {
      place: this.#api.place,
      link: this.#link,
      broker: this.#broker,
      numbers: this.#history.last,
      earlier: this.#history.earlier,
      points: this.#history.points,
      bridges: this.#bridges,
      nodes: this.#nodes,
      certificates: this.#certificates,
      failures: this.#failures,
      refusals: this.#refusals,
      clients: this.#clients,
      now: this.#clock(),
      interval: this.#interval,
    }
  }

  /** Never rejects for what the broker, or what is in its place, does. Resolves with the milliseconds until the next look. */
  async look(): Promise<number> {
    try {
      await this.#look()
      this.#link = { state: "there" }
      this.#failed = 0
      return this.#interval * 1000
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error
      const wait = Math.min(longestWait, 1000 * 2 ** this.#failed++)
      const now = this.#clock()
      const since = this.#link.state === "lost" ? this.#link.since : now
      if (this.#link.state === "there") this.#history.gap()
      this.#link = { state: "lost", since, why: error.message, again: now + wait }
      return wait
    }
  }

  async #look(): Promise<void> {
    const isDue = this.#clock() - this.#certificatesAt >= certificatesEach
    const [broker, metrics, bridges, nodes, failures, refusals, certificates] = await Promise.all([
      this.#ask("/broker"),
      this.#ask("/metrics"),
      this.#ask("/bridges"),
      this.#ask("/nodes"),
      this.#ask("/handshake-failures?limit=200"),
      this.#ask("/refusals?limit=200"),
      isDue ? this.#ask("/certificates") : undefined,
      this.#walk(),
    ])
    const about = brokerIn(broker)
    if (about === undefined) throw new Unanswered("what answers is no admin API of a broker; check the address")
    if (certificates !== undefined) {
      this.#certificates = certificatesIn(certificates)
      this.#certificatesAt = this.#clock()
    }
    this.#broker = about
    this.#bridges = bridgesIn(bridges)
    this.#nodes = nodesIn(nodes)
    this.#failures = failuresIn(failures)
    this.#refusals = refusalsIn(refusals)
    this.#history.add(numbersOf(Object.assign({}, metrics), this.#clock()))
  }

  async #walk(): Promise<void> {
    for (let page = 0; page < pagesInALook; page++) {
      const cursor = this.#cursor === undefined ? "" : `&cursor=${encodeURIComponent(this.#cursor)}`
      const body = await this.#ask(`/clients?limit=${pageOfClients}${cursor}`)
      this.#walked.push(...clientsIn(body))
      this.#cursor = textIn(body, "next")
      if (this.#cursor !== undefined) continue
      this.#clients = this.#walked
      this.#walked = []
      return
    }
    // Until the first walk is over what was seen of it is better than nothing.
    if (this.#clients.length < this.#walked.length) this.#clients = [...this.#walked]
  }

  /** Rejects with Unanswered. */
  async #ask(path: string): Promise<unknown> {
    let answer: ApiAnswer
    try {
      answer = await this.#api.ask(`/api/v1${path}`, this.#timeout)
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error
      throw new Unanswered(`${error.message}; ${adviceFor(error.message)}`)
    }
    const { status, body } = answer
    if (status === 200 && body !== undefined) return body
    // One of another version lacks it, and what is no broker all of it.
    if (status === 404) return undefined
    // The list may have changed so much that the place in it is none any more.
    this.#cursor = undefined
    this.#walked = []
    if (status === 401)
      throw new Unanswered('the broker does not know this token; one is made by "puremq token", and taken at a reload')
    const detail = textIn(body, "detail")
    throw new Unanswered(`the answer was HTTP ${status}${detail === undefined ? "" : `: ${detail}`}`)
  }
}
