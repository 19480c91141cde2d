// emqx.conf of EMQX 5 as a configuration of ours.

import { emqxListenerRows, emqxRows } from "./emqx-rows.ts"
import { ErlangError, readErlangRules } from "./erlang-rules.ts"
import { readHocon } from "./hocon.ts"
import { type HoconLine, hoconLines, rowAt, sourceOf, textAt, valueAt } from "./hocon-lines.ts"
import { type ListenerLines, listenerOf, type TlsNames } from "./hocon-listeners.ts"
import type { HoconObject } from "./hocon-values.ts"
import type { ImportMeans } from "./means.ts"
import { aclOf, type OrderedRule } from "./ordered-rules.ts"
import { type ImportedListener, type ListenerKind, Outcome, type Settings } from "./outcome.ts"
import { takeApi, takeHttpLogin, takeJwt } from "./services.ts"
import { addressOf, amountOf, flagOf, type Row, readingOf } from "./values.ts"

function basename(file: string): string {
  return file.replace(/^.*[\\/]/, "")
}

/** Throws HoconError. */
export function importEmqx(text: string, file: string, means: ImportMeans): Outcome {
  const outcome = new Outcome()
  const folders: Readonly<Record<string, string>> = { EMQX_ETC_DIR: means.beside(file, ".") }
  const variable = (name: string) => means.variable(name) ?? folders[name]
  const isRules = /^\s*(%|\{\s*(allow|deny)\b)/.test(text)
  // A file of rules alone, as the configuration that names it.
  const own = isRules ? `authorization.sources = [{ type = file, path = ${JSON.stringify(basename(file))} }]` : text
  const root = readHocon(own, file, {
    variable,
    missing: (what, spot) => outcome.told.push(`${spot.file}:${spot.line}: ${what} is not there`),
    include: (name, from) => {
      const path = means.beside(from, name)
      const found = means.read(path)
      return found === undefined ? undefined : { file: path, text: found }
    },
  })
  // EMQX fills in variables of texts in quotes, too, where they name files.
  const filled = (name: string) => name.replaceAll(/\$\{(\w+)\}/g, (all, each: string) => variable(each) ?? all)
  new EmqxImport(outcome, { ...means, beside: (from, name) => means.beside(from, filled(name)) }).take(root)
  return outcome
}

const types: Readonly<Record<string, ListenerKind>> = { tcp: "tcp", ssl: "tls", ws: "ws", wss: "wss" }
const tlsNames: TlsNames = {
  cert: "ssl_options.certfile",
  key: "ssl_options.keyfile",
  keyPassword: "ssl_options.password",
  ca: "ssl_options.cacertfile",
  failWithout: "ssl_options.fail_if_no_peer_cert",
}

type Lines = ListenerLines & { readonly lines: Map<string, HoconLine> }

class EmqxImport {
  readonly #outcome: Outcome
  readonly #means: ImportMeans
  readonly #listeners = new Map<string, Lines>()
  readonly #rules: OrderedRule[] = []
  readonly #limited: { readonly listener: ImportedListener; readonly line: HoconLine }[] = []
  #noMatch: HoconLine | undefined
  #sources: HoconLine | undefined
  readonly #dashboard = new Map<string, HoconLine>()
  #hasLogins = false
  /** Some of them are users of a database. */
  #hasUsers = false
  /** Some rules are missing. */
  #isStrict = false
  #certificateNames: HoconLine | undefined

  constructor(outcome: Outcome, means: ImportMeans) {
    this.#outcome = outcome
    this.#means = means
  }

  take(root: HoconObject): void {
    for (const line of hoconLines(root)) this.#take(line)
    this.#takeLogins(root)
    this.#settleDashboard()
    for (const each of this.#listeners.values()) this.#settleListener(each)
    this.#settleLimits()
    this.#settleCertificateNames()
    this.#settleDefaults()
    this.#settleRules()
  }

  #take(line: HoconLine): void {
    const { path, source, text } = line
    const [first = "", second = "", third = "", ...rest] = path
    if (first === "listeners") {
      if (Object.hasOwn(types, second) && rest.length > 0) this.#takeListener(line, second, third, rest.join("."))
      else this.#outcome.leave(source, second === "quic" ? "there is no QUIC" : "it is no listener that is known here")
      return
    }
    const row = rowAt(emqxRows, path)
    switch (path.join(".")) {
      case "authorization.no_match":
        this.#noMatch = line
        return
      case "authorization.sources":
        this.#sources = line
        this.#takeSources(line)
        return
      case "mqtt.peer_cert_as_username":
        this.#certificateNames = line
        return
    }
    if (first === "authentication") return
    if (first === "dashboard") this.#dashboard.set(path.slice(1).join("."), line)
    else if (row === undefined) this.#outcome.leave(source, "EMQX 5 has no such option that is known here")
    else this.#outcome.take(this.#outcome.settings, row.to ?? "", source, readingOf(row, text))
  }

  #takeLogins(root: HoconObject): void {
    const given = valueAt(root, "authentication")
    const items = given === undefined ? [] : given.kind === "list" ? given.items : [given]
    for (const item of items) {
      if (item.kind !== "object") continue
      const source = sourceOf(["authentication"], item.spot, item)
      if (flagOf(textAt(item, "enable") ?? "true") === false) {
        this.#outcome.leave(source, "it is off there")
        continue
      }
      this.#hasLogins = true
      const [mechanism, backend] = [textAt(item, "mechanism"), textAt(item, "backend")]
      if (mechanism === "jwt") {
        const why = takeJwt(item, source, this.#outcome, this.#means)
        if (why !== undefined) this.#outcome.leave(source, why)
      } else if (mechanism === "password_based" && backend === "http") {
        const ca = textAt(item, "ssl", "cacertfile")
        const more = {
          timeout: textAt(item, "request_timeout"),
          pool: textAt(item, "pool_size"),
          ca: ca === undefined ? undefined : this.#means.beside(source.file, ca),
        }
        takeHttpLogin(textAt(item, "url") ?? "", more, source, this.#outcome)
      } else {
        this.#hasUsers = true
        this.#outcome.leave(source, "users are in a file: `puremq passwd` writes it")
      }
    }
  }

  #settleDashboard(): void {
    const of = (name: string) => this.#dashboard.get(name)
    const [http, https] = [of("listeners.http.bind"), of("listeners.https.bind")]
    const [cert, key] = ["certfile", "keyfile"].map((name) => of(`listeners.https.ssl_options.${name}`))
    const isOn = (bind: HoconLine | undefined) => (addressOf(bind?.text ?? "")?.port ?? 0) > 0
    const isSecure = isOn(https) && cert !== undefined && key !== undefined
    const bind = isSecure ? https : isOn(http) ? http : undefined
    const address = addressOf(bind?.text ?? "")
    const users = [of("default_username"), of("default_password")]
    const done = [bind, ...(isSecure ? [cert, key] : []), ...users].filter((line) => line !== undefined)
    if (bind !== undefined && address !== undefined) {
      const beside = ({ source, text }: HoconLine) => this.#means.beside(source.file, text)
      const tls =
        isSecure && cert !== undefined && key !== undefined ? { cert: beside(cert), key: beside(key) } : undefined
      takeApi({ ...address, tls, sources: done.map(({ source }) => source) }, this.#outcome, this.#means)
    }
    for (const line of this.#dashboard.values())
      if (bind === undefined || !done.includes(line))
        this.#outcome.leave(line.source, emqxRows["dashboard.*"]?.why ?? "")
  }

  #takeListener(line: HoconLine, kind: string, name: string, option: string): void {
    const id = `${kind} ${name}`
    const known: Lines = this.#listeners.get(id) ?? {
      name: name === "default" ? kind : name,
      type: types[kind] ?? "tcp",
      lines: new Map(),
    }
    this.#listeners.set(id, known)
    known.lines.set(option, line)
  }

  #settleListener(given: Lines): void {
    const { lines, type } = given
    const enabled = lines.get("enable") ?? lines.get("enabled")
    if (enabled !== undefined && flagOf(enabled.text) !== true) {
      for (const { source } of lines.values()) this.#outcome.leave(source, "the listener is off there")
      return
    }
    if (enabled !== undefined) this.#outcome.carry(enabled.source)
    const verify = lines.get("ssl_options.verify")
    const asks = verify?.text === "verify_peer"
    const name = given.name === "ssl" ? "tls" : given.name
    const listener = listenerOf({ ...given, name }, this.#outcome, this.#means, tlsNames, asks ? verify : undefined)
    if (listener === undefined) return
    if (verify !== undefined && !asks) this.#outcome.hold(verify.source, "clients are not asked for certificates")
    for (const [option, line] of lines) {
      const row = rowAt(emqxListenerRows, option.split("."))
      if (row === undefined)
        this.#outcome.leave(line.source, "EMQX 5 has no such option of a listener that is known here")
      else if (row.special === true) this.#settleSpecial(listener, option, line)
      else this.#takeOption(listener.settings, row, line)
    }
    if (type === "ws" || type === "wss") this.#settleOrigins(listener, lines)
  }

  #takeOption(settings: Settings, row: Row, { text, source }: HoconLine): void {
    const own = row.to?.replace(/^listeners\.\*\./, "") ?? ""
    this.#outcome.take(
      row.to?.startsWith("listeners.") ? settings : this.#outcome.settings,
      own,
      source,
      readingOf(row, text),
    )
  }

  #settleSpecial(listener: ImportedListener, option: string, line: HoconLine): void {
    const { source, text } = line
    switch (option) {
      case "max_connections":
        this.#limited.push({ listener, line })
        return
      case "proxy_protocol":
        this.#outcome.take(
          listener.settings,
          "proxyProtocol.trusted",
          source,
          flagOf(text) === true
            ? {
                value: ["127.0.0.0/8"],
                differs: "name the addresses of the proxy here: connections from elsewhere are closed",
              }
            : { holds: "connections come without it" },
        )
        return
      case "messages_rate":
      case "bytes_rate":
        this.#settleRate(option, line)
        return
      case "websocket.mqtt_path":
        this.#outcome.take(listener.settings, "path", source, { value: text })
    }
  }

  #settleRate(option: string, { source, text }: HoconLine): void {
    const [, amount = "", unit = ""] = /^([^/]+)\/(s|m|h)$/.exec(text) ?? []
    const seconds = { s: 1, m: 60, h: 3600 }[unit]
    const count = amountOf(amount, option === "bytes_rate" ? "bytes" : undefined)
    const path = option === "bytes_rate" ? "limits.maximumPublishByteRate" : "limits.maximumPublishRate"
    if (text === "infinity") this.#outcome.hold(source, "there is no limit of a rate by default")
    else if (count === undefined || seconds === undefined)
      this.#outcome.leave(source, "it is no rate that is known here")
    else
      this.#outcome.take(this.#outcome.settings, path, source, {
        value: Math.max(1, Math.ceil(count / seconds)),
        differs: "it is of the connections of all listeners",
      })
  }

  #settleOrigins(listener: ImportedListener, lines: ReadonlyMap<string, HoconLine>): void {
    const [enable, list] = [lines.get("websocket.check_origin_enable"), lines.get("websocket.check_origins")]
    const isOn = enable !== undefined && flagOf(enable.text) === true
    const origins = isOn
      ? (list?.text ?? "")
          .split(",")
          .map((each) => each.trim())
          .filter((each) => each !== "")
      : []
    const sources = [enable, list].flatMap((line) => (line === undefined ? [] : [line.source]))
    for (const source of sources) this.#outcome.carry(source)
    if (isOn) listener.settings.set("origins", origins, sources)
    else
      listener.settings.set(
        "origins",
        ["*"],
        sources,
        "pages of every origin may use it, as there; without this those of its own alone",
      )
    // The path is fixed there.
    if (listener.settings.get("path") === undefined)
      listener.settings.set("path", "/mqtt", [], "as there, where nothing says otherwise")
  }

  #settleLimits(): void {
    for (const { listener, line } of this.#limited) {
      const { text, source } = line
      const own = "limits.maximumConnections"
      if (text === "infinity") this.#outcome.hold(source, "a listener has no limit of its own")
      else if (!/^[1-9]\d{0,8}$/.test(text)) this.#outcome.leave(source, "it is no number of connections")
      else if (this.#means.knows(`listeners.*.${own}`))
        this.#outcome.take(listener.settings, own, source, { value: Number(text) })
      else if (this.#outcome.listeners.length === 1)
        this.#outcome.take(this.#outcome.settings, own, source, { value: Number(text) })
      else
        this.#outcome.leave(
          source,
          "a listener has no limit of its own; `limits.maximumConnections` is of all together",
        )
    }
  }

  #settleCertificateNames(): void {
    const line = this.#certificateNames
    const asking = this.#outcome.listeners.filter(({ settings }) => settings.get("clientCertificate") !== undefined)
    const identity = line === undefined ? undefined : { cn: "subject-cn", dn: "subject" }[line.text]
    if (line !== undefined) {
      if (line.text === "disabled") this.#outcome.hold(line.source, "a certificate is no login")
      else if (identity === undefined)
        this.#outcome.leave(line.source, "a certificate's user is its common name (cn) or its subject (dn)")
      else if (asking.length === 0) this.#outcome.leave(line.source, "no listener asks for certificates of clients")
      else for (const { settings } of asking) this.#outcome.take(settings, "identity", line.source, { value: identity })
    }
    if (asking.length > 0 && identity === undefined)
      this.#outcome.settings.set(
        "login.certificates",
        false,
        line === undefined ? [] : [line.source],
        "a certificate is no login there, where peer_cert_as_username is not cn or dn",
      )
  }

  #settleDefaults(): void {
    const { settings, listeners, defaults, told } = this.#outcome
    settings.set(
      "login.anonymous",
      !this.#hasLogins,
      [],
      this.#hasLogins ? "there clients have to log in" : "as there, where there is no authentication",
    )
    if (this.#hasUsers)
      told.push(
        'users are in a database of EMQX: write them with "puremq passwd FILE USER", and name the file as login.passwordFile',
      )
    if (this.#listeners.size === 0) {
      for (const [type, port] of [
        ["tcp", 1883],
        ["ws", 8083],
      ] as const) {
        const listener = this.#outcome.listener(type, type)
        listener.settings.set("host", "0.0.0.0", [])
        listener.settings.set(
          "port",
          port,
          [],
          "it is there where nothing is said of it; those with TLS on 8883 and 8084 need a certificate",
        )
        if (type === "ws") this.#settleOrigins(listener, new Map())
      }
    } else if (listeners.length === 0) {
      const listener = this.#outcome.listener("tcp", "tcp")
      listener.settings.set("host", "127.0.0.1", [])
      listener.settings.set("port", 1883, [], "stands in for the listeners that could not be carried over")
      told.push("none of its listeners could be carried over: one for this machine alone stands in, on port 1883")
    }
    defaults.push(
      "sessions end when their client has been away for 7 days (limits.maximumSessionExpiryInterval)",
      "listeners that EMQX has without being told (tcp, ssl, ws and wss of the name default) are not there where others are named",
      "TLS is 1.3 only; there is no QUIC",
    )
  }

  /** Files of rules are read; others ask somebody. */
  #takeSources(line: HoconLine): void {
    const items = line.value.kind === "list" ? line.value.items : []
    for (const item of items) {
      const of = (name: string) => (item.kind === "object" ? textAt(item, name) : undefined)
      const why = this.#readRules(line, of("type"), of("path"), of("enable"))
      if (why === undefined) continue
      this.#outcome.leave(line.source, why)
      this.#outcome.told.push(
        `${line.source.file}:${item.spot.line}: ${why}; until they are written, what no rule allows is refused`,
      )
      this.#isStrict = true
    }
  }

  /** Why nothing was read of it. */
  #readRules({ source }: HoconLine, type = "", path?: string, enable = "true"): string | undefined {
    if (flagOf(enable) === false) return undefined
    if (type !== "file" || path === undefined)
      return `rules of the source ${type === "" ? "of no type" : type} are not carried over: nobody else is asked what clients may do`
    const file = this.#means.beside(source.file, path)
    const text = this.#means.read(file)
    if (text === undefined) return `there is no file ${file} with rules: nothing of it is carried over`
    try {
      this.#rules.push(...readErlangRules(text, file))
      this.#outcome.carry(source)
      return undefined
    } catch (error) {
      if (!(error instanceof ErlangError)) throw error
      return `${file}:${error.line}: ${error.message}: nothing of it is carried over`
    }
  }

  #settleRules(): void {
    const allow = !this.#isStrict && this.#noMatch?.text !== "deny"
    if (this.#rules.length === 0 && allow) {
      if (this.#noMatch !== undefined)
        this.#outcome.hold(this.#noMatch.source, "without an access control list everything is allowed")
      return
    }
    const name = "puremq-acl"
    this.#outcome.files.set(name, aclOf(this.#rules, allow ? "allow" : "deny", this.#outcome))
    if (this.#noMatch !== undefined) this.#outcome.carry(this.#noMatch.source)
    const line = this.#sources ?? this.#noMatch
    this.#outcome.settings.set("aclFile", name, line === undefined ? [] : [line.source])
  }
}
