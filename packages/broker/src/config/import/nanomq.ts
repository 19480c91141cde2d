// nanomq.conf as a configuration of ours: HOCON, or the older form with a `key=value` in each line.

import { readHocon } from "./hocon.ts"
import { type HoconLine, hoconLines, rowAt, sourceOf, textAt, valueAt } from "./hocon-lines.ts"
import { type ListenerLines, listenerOf, type TlsNames } from "./hocon-listeners.ts"
import type { HoconObject, HoconValue } from "./hocon-values.ts"
import type { ImportMeans } from "./means.ts"
import { NanomqBridges } from "./nanomq-bridges.ts"
import { nanomqListenerRows, nanomqOldNames, nanomqRows } from "./nanomq-rows.ts"
import { aclOf, type OrderedRule, type Who } from "./ordered-rules.ts"
import { type ListenerKind, Outcome, type Source } from "./outcome.ts"
import { takeApi, takeHttpLogin, takeWebhook } from "./services.ts"
import { flagOf, readingOf } from "./values.ts"

/** Throws HoconError. */
export async function importNanomq(text: string, file: string, means: ImportMeans): Promise<Outcome> {
  const outcome = new Outcome()
  const told = (what: string, { file: where, line }: { readonly file: string; readonly line: number }) =>
    outcome.told.push(`${where}:${line}: ${what} is not there`)
  const hocon = {
    variable: means.variable,
    missing: told,
    include: (name: string, from: string) => {
      const path = means.beside(from, name)
      const found = means.read(path)
      return found === undefined ? undefined : { file: path, text: found }
    },
  }
  const root = isOldForm(text) ? readOldForm(text, file) : readHocon(text, file, hocon)
  const importer = new NanomqImport(outcome, means)
  await importer.take(wholeOf(root))
  return outcome
}

/** A file of rules or users alone, as the configuration that includes it. */
function wholeOf(root: HoconObject): HoconObject {
  const names = [...root.members.keys()]
  const isUsers = names.length > 0 && [...root.members.values()].every((value) => value.kind === "text" && value.quoted)
  const inside = names.length === 1 && names[0] === "rules" ? "acl" : isUsers ? "password" : undefined
  if (inside === undefined) return root
  const { spot } = root
  const auth: HoconObject = { kind: "object", members: new Map([[inside, root]]), spot }
  return { kind: "object", members: new Map([["auth", auth]]), spot }
}

/** Every line is a name, = and a value, and one of them is one of the older names. */
function isOldForm(text: string): boolean {
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !line.trim().startsWith("#"))
  return (
    lines.every((line) => /^\s*[\w.-]+\s*=\s*\S?.*$/.test(line) && !/[{[]\s*$/.test(line)) &&
    lines.some((line) => /^\s*(url|tls\.|websocket\.|allow_anonymous|msq_len|qos_duration|bridge\.mqtt\.)/.test(line))
  )
}

function readOldForm(text: string, file: string): HoconObject {
  const members = new Map<string, HoconValue>()
  for (const [at, raw] of text.split("\n").entries()) {
    const [, name = "", value = ""] = /^\s*([\w.-]+)\s*=\s*(.*?)\s*$/.exec(raw) ?? []
    if (name === "" || raw.trim().startsWith("#")) continue
    members.set(name, {
      kind: "text",
      text: value.replace(/^"(.*)"$/, "$1"),
      quoted: false,
      spot: { file, line: at + 1 },
    })
  }
  return { kind: "object", members, spot: { file, line: 1 } }
}

/** A name of the older form as it is called now. */
function newName(name: string): string {
  const own = nanomqOldNames[name]
  if (own !== undefined) return own
  for (const [old, now] of Object.entries(nanomqOldNames))
    if (old.endsWith("*") && name.startsWith(old.slice(0, -1))) return now.replace("*", name.slice(old.length - 1))
  return name
}

const types: Readonly<Record<string, ListenerKind>> = { tcp: "tcp", ssl: "tls", ws: "ws", wss: "wss" }
const tlsNames: TlsNames = {
  cert: "certfile",
  key: "keyfile",
  keyPassword: "key_password",
  ca: "cacertfile",
  failWithout: "fail_if_no_peer_cert",
}

class NanomqImport {
  readonly #outcome: Outcome
  readonly #means: ImportMeans
  readonly #listeners = new Map<string, ListenerLines & { readonly lines: Map<string, HoconLine> }>()
  readonly #users = new Map<string, { readonly password: string; readonly source: Source }>()
  readonly #rules: OrderedRule[] = []
  readonly #bridges: NanomqBridges
  #noMatch: HoconLine | undefined
  #acl: Source | undefined
  /** Below `http_server`, `auth.http_auth` and `webhook`. */
  readonly #services = new Map<string, HoconLine>()
  #asksOthers = false

  constructor(outcome: Outcome, means: ImportMeans) {
    this.#outcome = outcome
    this.#means = means
    this.#bridges = new NanomqBridges(outcome, means)
  }

  async take(root: HoconObject): Promise<void> {
    for (const line of hoconLines(root)) {
      // Of the older form a name is one text.
      const [only = ""] = line.path
      this.#take(line.path.length > 1 ? line : { ...line, path: newName(only).split(".") })
    }
    this.#takeRules(valueAt(root, "auth", "acl", "rules"))
    for (const each of this.#listeners.values()) this.#settleListener(each)
    this.#bridges.settle()
    this.#settleApi()
    this.#settleHttpLogin()
    this.#settleWebhook()
    this.#settleDefaults(root)
    await this.#settleUsers()
    this.#settleRules()
  }

  #take(line: HoconLine): void {
    const { path, source, text } = line
    const [first = "", second = "", third = ""] = path
    if (first === "listeners" && Object.hasOwn(types, second)) {
      this.#takeListener(line)
      return
    }
    if (first === "bridges" && second === "mqtt") {
      this.#bridges.take(line)
      return
    }
    if (/^acl\.rule\.\d+$/.test(path.join("."))) {
      this.#takeOldRule(line)
      return
    }
    if (first === "auth" && second === "acl") {
      if (third !== "rules") this.#outcome.leave(source, "it is no rule")
      return
    }
    if (first === "auth" && second === "password" && path.length === 3) {
      this.#users.set(third, { password: text, source })
      return
    }
    if (first === "http_server" || first === "webhook" || (first === "auth" && second === "http_auth")) {
      this.#services.set(path.join("."), line)
      return
    }
    const row = rowAt(nanomqRows, path)
    switch (path.join(".")) {
      case "auth.allow_anonymous":
        this.#outcome.take(
          this.#outcome.settings,
          "login.anonymous",
          source,
          flagOf(text) === undefined ? { left: "it is neither true nor false" } : { value: flagOf(text) },
        )
        return
      case "auth.no_match":
        this.#noMatch = line
        return
      case "log.to":
        if (text === "console" || /(^|, )console(,|$)/.test(text))
          this.#outcome.hold(source, "the log is written to standard output")
        else this.#outcome.leave(source, row?.why ?? "")
        return
    }
    if (row === undefined) this.#outcome.leave(source, "NanoMQ has no such option that is known here")
    else this.#outcome.take(this.#outcome.settings, row.to ?? "", source, readingOf(row, text))
  }

  /** `listeners.ssl.keyfile`, or `listeners.ssl.NAME.keyfile`. */
  #takeListener(line: HoconLine): void {
    const [, kind = "", third = "", ...rest] = line.path
    const isNamed = rest.length > 0 && rowAt(nanomqListenerRows, [third]) === undefined
    const option = isNamed ? rest.join(".") : [third, ...rest].join(".")
    if (rowAt(nanomqListenerRows, option.split(".")) === undefined) {
      this.#outcome.leave(line.source, "NanoMQ has no such option of a listener that is known here")
      return
    }
    const id = isNamed ? `${kind} ${third}` : kind
    const type = types[kind] ?? "tcp"
    const known = this.#listeners.get(id) ?? { name: isNamed ? `${type}-${third}` : type, type, lines: new Map() }
    this.#listeners.set(id, known)
    known.lines.set(option === "url" ? "bind" : option, line)
  }

  #settleListener(given: ListenerLines & { readonly lines: Map<string, HoconLine> }): void {
    const { lines, type, name } = given
    // Websockets over TLS have the certificates of TLS, where they have none of their own.
    if (type === "wss")
      for (const [option, line] of this.#listeners.get("ssl")?.lines ?? [])
        if (option !== "bind" && option !== "enable" && !lines.has(option)) lines.set(option, line)
    const enabled =
      type === "wss" ? (lines.get("enable") ?? this.#listeners.get("ws")?.lines.get("enable")) : lines.get("enable")
    if (enabled !== undefined && flagOf(enabled.text) !== true) {
      for (const { source } of lines.values()) this.#outcome.leave(source, "the listener is off there")
      return
    }
    if (enabled !== undefined) this.#outcome.carry(enabled.source)
    const verify = lines.get("verify_peer")
    const asks = verify !== undefined && flagOf(verify.text) === true
    if (verify !== undefined && !asks) this.#outcome.hold(verify.source, "clients are not asked for certificates")
    const listener = listenerOf({ name, type, lines }, this.#outcome, this.#means, tlsNames, asks ? verify : undefined)
    if (listener === undefined) return
    if (type === "ws" || type === "wss")
      listener.settings.set(
        "origins",
        ["*"],
        [],
        "pages of every origin may use it, as there; without this those of its own alone",
      )
    if (asks)
      this.#outcome.settings.set("login.certificates", false, [verify.source], "a certificate is no login there")
  }

  /** What is left of those below a beginning is said with the row of all of them. */
  #leaveServices(beginning: string, done: readonly (HoconLine | undefined)[] = []): void {
    for (const [path, line] of this.#services) {
      if (!path.startsWith(beginning) || done.includes(line)) continue
      const row = rowAt(nanomqRows, [...line.path.slice(0, -1), "-"])
      this.#outcome.leave(line.source, row?.why ?? "NanoMQ has no such option that is known here")
    }
  }

  #settleApi(): void {
    const [port, host] = [this.#services.get("http_server.port"), this.#services.get("http_server.ip_addr")]
    const enable = this.#services.get("http_server.enable")
    const isOff = enable !== undefined && flagOf(enable.text) === false
    if (port === undefined || !/^\d{1,5}$/.test(port.text) || isOff) {
      this.#leaveServices("http_server.")
      return
    }
    const users = [this.#services.get("http_server.username"), this.#services.get("http_server.password")]
    const done = [port, host, enable, ...users].filter((line) => line !== undefined)
    const api = { port: Number(port.text), host: host?.text, tls: undefined }
    takeApi({ ...api, sources: done.map(({ source }) => source) }, this.#outcome, this.#means)
    this.#leaveServices("http_server.", done)
  }

  #settleHttpLogin(): void {
    const of = (name: string) => this.#services.get(`auth.http_auth.${name}`)
    const [url, timeout, pool, enable] = [of("auth_req.url"), of("timeout"), of("pool_size"), of("enable")]
    const isOff = enable !== undefined && flagOf(enable.text) === false
    const urls = [...this.#services.keys()].filter((path) => /^auth\.http_auth\..*url$/.test(path))
    this.#asksOthers = urls.length > 0 && !isOff
    if (
      url === undefined ||
      isOff ||
      !takeHttpLogin(url.text, { timeout: timeout?.text, pool: pool?.text }, url.source, this.#outcome)
    ) {
      this.#leaveServices("auth.http_auth.", [url])
      if (url !== undefined && isOff) this.#outcome.leave(url.source, "it is off there")
      return
    }
    for (const line of [timeout, pool, enable]) if (line !== undefined) this.#outcome.carry(line.source)
    this.#leaveServices("auth.http_auth.", [url, timeout, pool, enable])
  }

  #settleWebhook(): void {
    const [url, events] = [this.#services.get("webhook.url"), this.#services.get("webhook.events")]
    const enable = this.#services.get("webhook.enable")
    const isOff = enable !== undefined && flagOf(enable.text) === false
    if (url === undefined || events?.value.kind !== "list" || isOff) {
      this.#leaveServices("webhook.")
      return
    }
    const names = events.value.items.flatMap((item) => (item.kind === "object" ? (textAt(item, "event") ?? []) : []))
    takeWebhook(url, names, events.source, this.#outcome)
    if (enable !== undefined) this.#outcome.carry(enable.source)
    this.#leaveServices("webhook.", [url, events, enable])
  }

  #settleDefaults(root: HoconObject): void {
    const { settings, listeners, defaults, told } = this.#outcome
    if (this.#asksOthers) {
      const isTaken = settings.get("login.http.url") !== undefined
      settings.set(
        "login.anonymous",
        false,
        settings.get("login.anonymous")?.sources ?? [],
        "there somebody else is asked who may log in (auth.http_auth)",
      )
      if (!isTaken)
        told.push(
          "who may log in is asked of somebody else there (auth.http_auth): until users are written, nobody gets in",
        )
    } else if (settings.get("login.anonymous") === undefined)
      settings.set("login.anonymous", true, [], "as there, where nothing says otherwise")
    settings.set(
      "store.type",
      "memory",
      [],
      'as there without sqlite; with "files" sessions and retained messages outlive the process',
    )
    if (listeners.length === 0) {
      const isNone = this.#listeners.size === 0 && textAt(root, "url") === undefined
      const listener = this.#outcome.listener("tcp", "tcp")
      listener.settings.set("host", isNone ? "0.0.0.0" : "127.0.0.1", [])
      const why = isNone
        ? "it is there where none is named"
        : "stands in for the listeners that could not be carried over"
      listener.settings.set("port", 1883, [], why)
      if (!isNone)
        told.push("none of its listeners could be carried over: one for this machine alone stands in, on port 1883")
    }
    defaults.push(
      "sessions end when their client has been away for 7 days (limits.maximumSessionExpiryInterval)",
      "TLS is 1.3 only; there is no QUIC",
    )
  }

  async #settleUsers(): Promise<void> {
    if (this.#users.size === 0) return
    const lines: string[] = []
    for (const [user, { password, source }] of this.#users) {
      try {
        lines.push(await this.#means.passwordLine(user, password))
        this.#outcome.carry(source)
      } catch (error) {
        this.#outcome.leave(source, error instanceof Error ? error.message : String(error))
      }
    }
    if (lines.length === 0) return
    const name = "puremq-users"
    this.#outcome.files.set(name, `${lines.join("\n")}\n`)
    const sources = [...this.#users.values()].map(({ source }) => source).slice(0, 1)
    this.#outcome.settings.set("login.passwordFile", name, sources, "passwords are hashed in it")
  }

  #settleRules(): void {
    const allow = this.#noMatch === undefined || this.#noMatch.text !== "deny"
    if (this.#rules.length === 0 && allow) {
      if (this.#noMatch !== undefined)
        this.#outcome.hold(this.#noMatch.source, "without an access control list everything is allowed")
      return
    }
    const name = "puremq-acl"
    this.#outcome.files.set(name, aclOf(this.#rules, allow ? "allow" : "deny", this.#outcome))
    if (this.#noMatch !== undefined) this.#outcome.carry(this.#noMatch.source)
    const source = this.#acl ?? this.#noMatch?.source
    this.#outcome.settings.set("aclFile", name, source === undefined ? [] : [source])
  }

  #takeRules(rules: HoconValue | undefined): void {
    if (rules?.kind !== "list") return
    for (const rule of rules.items) this.#addRule(rule, sourceOf(["rule"], rule.spot, rule))
  }

  #takeOldRule(line: HoconLine): void {
    const means = { include: () => undefined, variable: () => undefined, missing: () => undefined }
    try {
      this.#addRule(readHocon(line.text, line.source.file, means), line.source)
    } catch {
      this.#outcome.leave(line.source, "it is no rule")
    }
  }

  #addRule(rule: HoconValue, source: Source): void {
    this.#acl ??= source
    if (rule.kind !== "object") {
      this.#outcome.leave(source, "it is no rule")
      return
    }
    const permit = textAt(rule, "permit") === "allow" ? "allow" : "deny"
    const names = ["username", "clientid"].flatMap((key) => {
      const text = textAt(rule, key)
      return text === undefined || text === "#" ? [] : { key, text }
    })
    const others = [...rule.members.keys()].filter(
      (key) => !["permit", "username", "clientid", "action", "topics"].includes(key),
    )
    const [only] = names
    const who: Who =
      only === undefined ? { kind: "all" } : { kind: only.key === "username" ? "user" : "client", name: only.text }
    const act = textAt(rule, "action") ?? "pubsub"
    const topics = valueAt(rule, "topics")
    const list =
      topics?.kind === "list" ? topics.items.flatMap((each) => (each.kind === "text" ? [each.text] : [])) : undefined
    const unable =
      others.length > 0 || names.length > 1
        ? "rules go by one user or one client identifier here, not by addresses or several at once"
        : undefined
    this.#rules.push({
      source,
      permit,
      who: unable === undefined ? [who] : undefined,
      action: act === "publish" || act === "subscribe" ? act : "all",
      topics: list?.filter((topic) => !topic.startsWith("@")),
      exact: list?.some((topic) => topic.startsWith("@")) === true,
      unable,
    })
  }
}
