// The listeners of a mosquitto.conf: their lines are collected, and what follows from all of them is decided at the end.

import type { ImportMeans } from "./means.ts"
import type { ImportedListener, Line, ListenerKind, Outcome, Source } from "./outcome.ts"
import { takeApi } from "./services.ts"
import { flagOf, suitesOf } from "./values.ts"

/** The lines of a listener by their keys; of those that may stand several times, the last is in `lines`. */
export interface ListenerDraft {
  /** `listener` or `port`; undefined: the one that is there without. */
  readonly opening: Line | undefined
  readonly lines: Map<string, Line>
  readonly origins: Line[]
}

interface Access {
  readonly listener: ImportedListener
  readonly draft: ListenerDraft
  readonly anonymous: { readonly value: boolean; readonly source: Source | undefined }
  readonly passwordFile: Line | undefined
  readonly aclFile: Line | undefined
  /** Whether a certificate is a login: of a listener that asks for none, nothing is said. */
  readonly certificates: { readonly value: boolean; readonly source: Source } | undefined
}

export class MosquittoListeners {
  readonly #outcome: Outcome
  readonly #means: ImportMeans
  readonly #file: string
  readonly #first: ListenerDraft = newDraft(undefined)
  readonly #drafts: ListenerDraft[] = []
  #current: ListenerDraft = this.#first
  #needsLogin = false

  constructor(outcome: Outcome, means: ImportMeans, file: string) {
    this.#outcome = outcome
    this.#means = means
    this.#file = file
  }

  /** Who gets in was decided by something that is not carried over: nobody without login does. */
  needLogin(): void {
    this.#needsLogin = true
  }

  get current(): ListenerDraft {
    return this.#current
  }

  take(line: Line, draft: ListenerDraft = this.#current): void {
    if (line.key === "listener") {
      this.#current = newDraft(line)
      this.#drafts.push(this.#current)
      return
    }
    if (line.key === "websockets_origin") {
      draft.origins.push(line)
      return
    }
    const before = draft.lines.get(line.key)
    if (before !== undefined) this.#outcome.leave(before.source, "a later line says something else")
    draft.lines.set(line.key, line)
  }

  settle(general: ReadonlyMap<string, Line>): void {
    const first = this.#first
    const isOpen = first.lines.has("port") || first.lines.has("bind_address")
    const onlyLocal = this.#drafts.length === 0 && !isOpen
    const hasFirst = isOpen || onlyLocal
    if (!hasFirst) for (const { source } of linesOf(first)) this.#outcome.leave(source, "no listener is before it")
    const all = [...(hasFirst ? [first] : []), ...this.#drafts]
    const found = all.flatMap((draft) => this.#listener(draft, general, onlyLocal) ?? [])
    this.#settleAccess(found, general)
    this.#settleTogether(found)
    if (this.#outcome.listeners.length > 0) return
    const listener = this.#outcome.listener("tcp", "tcp")
    listener.settings.set("host", "127.0.0.1", [])
    listener.settings.set("port", 1883, [], "stands in for the listeners that could not be carried over")
    this.#outcome.told.push(
      "none of its listeners could be carried over: one for this machine alone stands in, on port 1883",
    )
  }

  /** Undefined: it is left out. */
  #listener(draft: ListenerDraft, general: ReadonlyMap<string, Line>, onlyLocal: boolean): Access | undefined {
    const { opening, lines } = draft
    const [portText = "1883", ...addressWords] = (opening?.value ?? lines.get("port")?.value ?? "1883").split(/ +/)
    const where = opening?.value ?? portText
    const out = (why: string): undefined => {
      for (const { source } of linesOf(draft)) this.#outcome.leave(source, why)
      this.#outcome.told.push(`the listener ${where} is not carried over: ${why}`)
      return undefined
    }
    const port = Number(portText)
    if (!/^\d{1,5}$/.test(portText) || port > 65_535) return out("its port is none")
    if (port === 0 && addressWords.length > 0) return out("it is a socket of Unix, which no listener of ours is")
    const protocol = lines.get("protocol")?.value ?? "mqtt"
    if (protocol === "http_api") {
      this.#settleApi(draft, port, addressWords.join(" "))
      return undefined
    }
    if (protocol !== "mqtt" && protocol !== "websockets")
      return out("only mqtt and websockets are protocols of listeners")
    const [cert, key] = [lines.get("certfile"), lines.get("keyfile")]
    if ((cert === undefined) !== (key === undefined)) return out("a certificate and its private key go together")
    const asks = flagOf(lines.get("require_certificate")?.value ?? "false") === true
    const ca = lines.get("cafile")
    if (cert === undefined && lines.has("psk_hint"))
      return out("it has TLS by pre-shared keys, which listeners do not have: clients show certificates, or log in")
    if (cert === undefined && (asks || ca !== undefined)) return out("it has TLS without a certificate of the server")
    if (asks && ca === undefined)
      return out("it wants certificates of clients and has no `cafile` with their authorities")
    const type: ListenerKind = protocol === "mqtt" ? (cert ? "tls" : "tcp") : cert ? "wss" : "ws"
    const isFirst = !this.#outcome.listeners.some((each) => each.type === type)
    const listener = this.#outcome.listener(isFirst ? type : `${type}-${port}`, type)
    const open = opening ?? lines.get("port")
    this.#settleAddress(listener, draft, addressWords.join(" "), onlyLocal)
    listener.settings.set("port", port, open === undefined ? [] : [open.source])
    if (open !== undefined) this.#outcome.carry(open.source)
    const protocolLine = lines.get("protocol")
    if (protocolLine !== undefined)
      if (protocol === "mqtt") this.#outcome.hold(protocolLine.source, "it is what a listener speaks")
      else this.#outcome.carry(protocolLine.source)
    if (cert !== undefined && key !== undefined) this.#settleTls(listener, draft, asks)
    this.#settleOthers(listener, draft)
    return {
      listener,
      draft,
      anonymous: anonymousOf(draft, general, onlyLocal),
      passwordFile: lines.get("password_file") ?? general.get("password_file"),
      aclFile: lines.get("acl_file") ?? general.get("acl_file"),
      certificates: asks ? certificatesOf(lines) : undefined,
    }
  }

  #settleApi(draft: ListenerDraft, port: number, address: string): void {
    const { opening, lines } = draft
    const [protocol, cert, key] = [lines.get("protocol"), lines.get("certfile"), lines.get("keyfile")]
    const done = [opening, protocol, cert, key].filter((line) => line !== undefined)
    const beside = ({ value }: Line) => this.#means.beside(this.#file, value)
    const tls = cert !== undefined && key !== undefined ? { cert: beside(cert), key: beside(key) } : undefined
    const host = address === "" ? lines.get("bind_address")?.value : address
    takeApi({ port, host, tls, sources: done.map(({ source }) => source) }, this.#outcome, this.#means)
    for (const line of lines.values())
      if (!done.includes(line))
        this.#outcome.leave(line.source, "the admin API asks for tokens, and has no such option")
  }

  #settleAddress(
    listener: ImportedListener,
    { opening, lines }: ListenerDraft,
    address: string,
    onlyLocal: boolean,
  ): void {
    const domain = lines.get("socket_domain")
    const bind = lines.get("bind_address")
    const own = address === "" ? bind?.value : address
    const sources = [domain, own === bind?.value ? bind : undefined].flatMap((line) => line?.source ?? [])
    for (const source of sources) this.#outcome.carry(source)
    if (own !== undefined || onlyLocal) {
      listener.settings.set("host", own ?? "127.0.0.1", sources)
      return
    }
    const isSix = domain?.value === "ipv6"
    const remark =
      domain === undefined
        ? 'every address of IPv4; "::" takes IPv6, too'
        : isSix
          ? "every address of IPv6, and of IPv4, too"
          : undefined
    listener.settings.set(
      "host",
      isSix ? "::" : "0.0.0.0",
      opening === undefined ? sources : [opening.source, ...sources],
      remark,
    )
    if (isSix && domain !== undefined) this.#outcome.carry(domain.source, remark)
  }

  #settleTls(listener: ImportedListener, { lines }: ListenerDraft, asks: boolean): void {
    const file = (key: string, path: string) => {
      const line = lines.get(key)
      if (line === undefined) return
      this.#outcome.take(listener.settings, path, line.source, { value: this.#means.beside(this.#file, line.value) })
    }
    file("certfile", "cert")
    file("keyfile", "key")
    const required = lines.get("require_certificate")
    if (!asks) {
      if (required !== undefined) this.#outcome.hold(required.source, "clients are not asked for certificates")
      const [ca, crl] = [lines.get("cafile"), lines.get("crlfile")]
      for (const line of [ca, crl, lines.get("use_identity_as_username"), lines.get("use_subject_as_username")])
        if (line !== undefined) this.#outcome.hold(line.source, "clients are not asked for certificates, there as here")
    } else if (required !== undefined) {
      file("cafile", "ca")
      this.#outcome.take(listener.settings, "clientCertificate", required.source, { value: "require" })
      file("crlfile", "crl")
      const subject = lines.get("use_subject_as_username")
      const identity = lines.get("use_identity_as_username")
      if (isOn(identity)) this.#outcome.take(listener.settings, "identity", identity.source, { value: "subject-cn" })
      else if (isOn(subject)) this.#outcome.take(listener.settings, "identity", subject.source, { value: "subject" })
      for (const line of [identity, subject])
        if (line !== undefined && !(isOn(identity) ? line === identity : isOn(line)))
          this.#outcome.hold(line.source, "another line decides whose name a certificate is")
    }
    const hint = lines.get("psk_hint")
    if (hint !== undefined) this.#outcome.leave(hint.source, "listeners have no pre-shared keys")
    const suites = lines.get("ciphers_tls1.3")
    if (suites !== undefined) this.#outcome.take(listener.settings, "suites", suites.source, suitesOf(suites.value))
  }

  #settleOthers(listener: ImportedListener, { lines, origins }: ListenerDraft): void {
    const proxy = lines.get("enable_proxy_protocol")
    if (proxy !== undefined)
      this.#outcome.take(listener.settings, "proxyProtocol.trusted", proxy.source, {
        value: ["127.0.0.0/8"],
        differs: "name the addresses of the proxy here: connections from elsewhere are closed",
      })
    const versions = lines.get("accept_protocol_versions")
    if (versions !== undefined) {
      const wanted = versions.value.split(",").map((each) => each.trim())
      const same = ["3", "4", "5"].every((each) => wanted.includes(each))
      if (same) this.#outcome.hold(versions.source, "every listener speaks MQTT 3.1, 3.1.1 and 5.0")
      else this.#outcome.leave(versions.source, "every listener speaks MQTT 3.1, 3.1.1 and 5.0")
    }
    if (listener.type === "ws" || listener.type === "wss") {
      const sources = origins.map(({ source }) => source)
      const remark = "pages of every origin may use it, as there; without this those of its own alone"
      if (origins.length === 0) listener.settings.set("origins", ["*"], [], remark)
      else
        listener.settings.set(
          "origins",
          origins.map(({ value }) => value),
          sources,
        )
      for (const source of sources) this.#outcome.carry(source)
    } else for (const { source } of origins) this.#outcome.leave(source, "the listener has no WebSocket")
    if (listener.type === "tcp" || listener.type === "ws")
      for (const key of [
        "ciphers_tls1.3",
        "crlfile",
        "require_certificate",
        "use_identity_as_username",
        "use_subject_as_username",
      ]) {
        const line = lines.get(key)
        if (line === undefined) continue
        if (flagOf(line.value) === false) this.#outcome.hold(line.source, "the listener has no TLS")
        else this.#outcome.leave(line.source, "the listener has no TLS")
      }
  }

  /** Who gets in and may do what: of all listeners where they agree, else of each. */
  #settleAccess(found: readonly Access[], general: ReadonlyMap<string, Line>): void {
    const sources = (line: { readonly source: Source } | undefined) => (line === undefined ? [] : [line.source])
    const anonymous = found.map(({ listener, anonymous: { value, source } }) => ({
      listener,
      value,
      sources: source === undefined ? [] : [source],
    }))
    if (this.#needsLogin) {
      const why = "a plugin decides there who gets in, which is not carried over"
      this.#outcome.settings.set("login.anonymous", false, [...new Set(anonymous.flatMap((one) => one.sources))], why)
      for (const { value, sources: own } of anonymous)
        for (const source of own) this.#outcome.carry(source, value ? why : undefined)
    } else this.#agree("login.anonymous", anonymous, (values) => values.every((value) => value === true), false)
    for (const [key, path] of [
      ["password_file", "login.passwordFile"],
      ["acl_file", "aclFile"],
    ] as const) {
      const each = found.map(({ listener, passwordFile, aclFile }) => {
        const line = key === "password_file" ? passwordFile : aclFile
        return { listener, value: line && this.#means.beside(this.#file, line.value), sources: sources(line) }
      })
      this.#agree(path, each, onlyOne, undefined)
    }
    this.#agree(
      "login.certificates",
      found.flatMap(({ listener, certificates }) =>
        certificates === undefined ? [] : { listener, value: certificates.value, sources: sources(certificates) },
      ),
      (values) => values.every((value) => value === true),
      true,
    )
    // A global line that each listener overrides.
    for (const key of ["allow_anonymous", "password_file", "acl_file"]) {
      const line = general.get(key)
      if (line !== undefined && found.length > 0 && !this.#isUsed(line.source))
        this.#outcome.hold(line.source, "each listener has its own")
    }
  }

  #isUsed(source: Source): boolean {
    const all = [this.#outcome.settings, ...this.#outcome.listeners.map(({ settings }) => settings)]
    return all.some((settings) => [...settings].some(([, setting]) => setting.sources.includes(source)))
  }

  /** @param strictest of all values, where a listener cannot have its own @param usual what needs no setting */
  #agree(
    path: string,
    each: readonly {
      readonly listener: ImportedListener
      readonly value: unknown
      readonly sources: readonly Source[]
    }[],
    strictest: (values: readonly unknown[]) => unknown,
    usual: unknown,
  ): void {
    const values = each.map(({ value }) => value)
    const [first] = values
    const carry = (sources: readonly Source[], differs?: string) => {
      for (const source of sources) this.#outcome.carry(source, differs)
    }
    if (each.length === 0) return
    if (values.every((value) => value === first)) {
      if (first === undefined || (path === "login.certificates" && first === usual)) return
      const sources = [...new Set(each.flatMap((one) => one.sources))]
      this.#outcome.settings.set(path, first, sources)
      carry(sources)
      return
    }
    if (this.#means.knows(`listeners.*.${path}`)) {
      for (const { listener, value, sources } of each) {
        if (value === undefined) continue
        listener.settings.set(path, value, sources)
        carry(sources)
      }
      return
    }
    const value = strictest(values)
    const sources = [...new Set(each.flatMap((one) => one.sources))]
    const why = "listeners cannot differ in it: it is of all of them"
    this.#outcome.told.push(
      `${path}: ${why}${value === undefined ? "; name one" : `, and the strictest is taken: ${value}`}`,
    )
    if (value === undefined) for (const source of sources) this.#outcome.leave(source, why)
    else {
      this.#outcome.settings.set(path, value, sources, why)
      carry(sources, why)
    }
  }

  /** What a listener of theirs may have of its own. */
  #settleTogether(found: readonly Access[]): void {
    const own = "listeners.*.limits.maximumConnections"
    const limited = found.flatMap(({ listener, draft }) => {
      const line = draft.lines.get("max_connections")
      return line === undefined ? [] : { listener, line }
    })
    for (const { listener, line } of limited) {
      const count = Number(line.value)
      if (line.value === "-1") this.#outcome.hold(line.source, "a listener has no limit of its own")
      else if (!/^\d{1,9}$/.test(line.value) || count < 1)
        this.#outcome.leave(line.source, "it is no number of connections")
      else if (this.#means.knows(own))
        this.#outcome.take(listener.settings, "limits.maximumConnections", line.source, { value: count })
      else if (found.length === 1)
        this.#outcome.take(this.#outcome.settings, "limits.maximumConnections", line.source, { value: count })
      else
        this.#outcome.leave(
          line.source,
          "a listener has no limit of its own; `limits.maximumConnections` is of all together",
        )
    }
    const qos = found.flatMap(({ draft }) => draft.lines.get("max_qos") ?? [])
    const highest = qos.map(({ value }) => (/^[012]$/.test(value) ? Number(value) : 2))
    if (qos.length === 0) return
    const differs =
      qos.length === found.length && new Set(highest).size === 1
        ? undefined
        : "it is of all listeners: the lowest of theirs"
    this.#outcome.settings.set(
      "features.maximumQos",
      Math.min(...highest),
      qos.map(({ source }) => source),
      differs,
    )
    for (const { source } of qos) this.#outcome.carry(source, differs)
  }
}

/** Where some have it, and all of them the same, the others are held to it, too. */
function onlyOne(values: readonly unknown[]): unknown {
  const own = new Set(values.filter((value) => value !== undefined))
  return own.size === 1 ? [...own][0] : undefined
}

function newDraft(opening: Line | undefined): ListenerDraft {
  return { opening, lines: new Map(), origins: [] }
}

function* linesOf({ opening, lines, origins }: ListenerDraft): Generator<Line> {
  if (opening !== undefined) yield opening
  yield* lines.values()
  yield* origins
}

function isOn(line: Line | undefined): line is Line {
  return line !== undefined && flagOf(line.value) === true
}

function anonymousOf(
  { lines }: ListenerDraft,
  general: ReadonlyMap<string, Line>,
  onlyLocal: boolean,
): Access["anonymous"] {
  const line = lines.get("listener_allow_anonymous") ?? lines.get("allow_anonymous") ?? general.get("allow_anonymous")
  return { value: line === undefined ? onlyLocal : flagOf(line.value) === true, source: line?.source }
}

/** A certificate is who the client is where it says so, and else only a way in. */
function certificatesOf(lines: ReadonlyMap<string, Line>): Access["certificates"] {
  const line = [lines.get("use_identity_as_username"), lines.get("use_subject_as_username")].find(isOn)
  const required = lines.get("require_certificate")
  if (required === undefined) return undefined
  return { value: line !== undefined, source: line?.source ?? required.source }
}
