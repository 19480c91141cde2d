// The admin API of a broker on Node.js: what it needs of the broker, and the server, which is loaded when there is one.

import type { AdminParts, KnownListener } from "../admin/http/parts.ts"
import type { AdminServer } from "../admin/http/server.ts"
import { aheadOf } from "../admin/times.ts"
import { parseTokens, type Token, TokenFileError } from "../admin/tokens.ts"
import { version } from "../admin/version.ts"
import { Watch } from "../admin/watch.ts"
import { checkCertificate } from "../config/certificate.ts"
import { type AdminConfig, ConfigError } from "../config/config.ts"
import type { Broker } from "../hub/broker.ts"
import { Operations } from "../hub/operations.ts"
import { OrderedRoster } from "../hub/roster.ts"
import { RosterLists } from "../hub/views.ts"
import { isLoopback } from "../listen/http-rules.ts"
import type { Listener, ListenerContext } from "../listen/listener.ts"
import { loadTls } from "../listen/tls-server.ts"

/** What it needs of the broker around it. */
export interface AdminNeeds
  extends Pick<AdminParts, "reload" | "startedAt" | "stats" | "bridges" | "nodes" | "tell" | "now" | "wall"> {
  readonly closing: () => boolean
  readonly storeFails: () => boolean
  /** The servers of its cluster cannot be reached. */
  readonly cutOff: () => boolean
  readonly listeners: () => readonly (KnownListener & Pick<Listener, "rotateTicketKeys">)[]
}

export class AdminDesk {
  readonly roster: OrderedRoster = new OrderedRoster()
  readonly watch: Watch
  readonly #config: AdminConfig
  readonly #host: string
  readonly #tokens: readonly Token[]
  #broker: Broker | undefined
  #operations: Operations | undefined

  /** Throws ConfigError. @param wall milliseconds since 1970 */
  constructor(config: AdminConfig, wall: () => number) {
    const { host = "127.0.0.1", cert, key } = config
    this.#config = config
    this.#host = host
    if ((cert === undefined) !== (key === undefined))
      throw new ConfigError("admin.cert and admin.key go together: give both, or none")
    if (cert === undefined && !isLoopback(host))
      throw new ConfigError(
        "admin.host is an address that others reach, and tokens would cross the network unencrypted: add admin.cert and admin.key, or listen on 127.0.0.1",
      )
    this.#tokens = tokensOf(config.tokens)
    if (cert !== undefined && key !== undefined) checkCertificate(cert, key, named, Date.now())
    this.watch = new Watch(wall)
  }

  /** The broker is there. */
  begin(broker: Broker): void {
    this.#broker = broker
    this.#operations = new Operations(broker)
  }

  /** Once a second. */
  tick(now: number): void {
    this.#operations?.tick(now)
  }

  /** Rejects with ListenError. */
  async open(needs: AdminNeeds, context: ListenerContext): Promise<AdminServer> {
    const { startAdminServer } = await import("../admin/http/server.ts")
    const { port, cert, key, hosts } = this.#config
    const createTlsServer = cert === undefined ? undefined : (await loadTls()).createServer
    let server: AdminServer | undefined
    const keepAlive = process.versions["deno"] === undefined
    const options = { host: this.#host, port, cert, key, hosts, keepAlive, tokens: this.#tokens }
    server = await startAdminServer(
      options,
      this.#parts(needs, () => server),
      context,
      createTlsServer,
    )
    return server
  }

  #parts(needs: AdminNeeds, server: () => AdminServer | undefined): AdminParts {
    const [broker, operate] = [this.#broker, this.#operations]
    if (broker === undefined || operate === undefined) throw new TypeError("begin was not called")
    const { closing, storeFails, cutOff, listeners, ...others } = needs
    const own = () => {
      const one = server()
      return one === undefined ? [] : [one.listener]
    }
    return {
      ...others,
      ahead: aheadOf(needs.now, needs.wall),
      inspect: broker,
      lists: new RosterLists(broker, this.roster),
      operate,
      version,
      runtime: runtime(),
      watch: this.watch,
      listeners: () => [...listeners(), ...own()],
      problem: () => {
        if (closing()) return "it is closing"
        if (cutOff()) return "the servers of its cluster cannot be reached"
        if (storeFails()) return "its store cannot keep anything at the moment"
        return operate.draining === undefined ? undefined : "it sends its clients to another server"
      },
      rotateTicketKeys: (forget) => {
        const rotated = listeners().filter(({ rotateTicketKeys }) => rotateTicketKeys !== undefined)
        for (const { rotateTicketKeys } of rotated) rotateTicketKeys?.(forget)
        server()?.rotateTicketKeys(forget)
        return [...rotated, ...own().filter(({ certificates }) => certificates !== undefined)].map(({ name }) => name)
      },
    }
  }

  /** Other tokens and certificate; returns what takes them back. Throws ConfigError, and nothing has changed. */
  replace(server: AdminServer, { tokens, cert, key }: Pick<AdminConfig, "tokens" | "cert" | "key">): () => void {
    const next = tokensOf(tokens)
    if ((cert === undefined) !== (this.#config.cert === undefined))
      throw new ConfigError("admin has a certificate where it had none, or none where it had one; that needs a restart")
    if (cert === undefined || key === undefined) return server.replace(next, undefined)
    checkCertificate(cert, key, named, Date.now())
    return server.replace(next, { cert, key })
  }
}

const named = { cert: "admin.cert", key: "admin.key" }

function tokensOf(text: string): readonly Token[] {
  try {
    return parseTokens(text)
  } catch (error) {
    if (error instanceof TokenFileError) throw new ConfigError(`admin.tokens, ${error.message}`)
    throw error
  }
}

function runtime(): string {
  const { bun, deno, node } = process.versions
  return bun !== undefined ? `Bun ${bun}` : deno !== undefined ? `Deno ${deno}` : `Node.js ${node}`
}
