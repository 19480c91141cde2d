// mosquitto.conf as a configuration of ours. The options are those of mosquitto.conf(5) of Mosquitto 2.1; mosquitto-rows.ts says
// what each becomes.

import type { ImportMeans } from "./means.ts"
import { MosquittoBridges } from "./mosquitto-bridges.ts"
import { type ListenerDraft, MosquittoListeners } from "./mosquitto-listeners.ts"
import { bridgeRows, generalRows, listenerRows } from "./mosquitto-rows.ts"
import { type Line, Outcome } from "./outcome.ts"
import { flagOf, isSecretName, oneLine, type Row, readingOf } from "./values.ts"

interface Plugin {
  readonly line: Line
  readonly options: Line[]
  readonly listener: ListenerDraft | undefined
}

export function importMosquitto(text: string, file: string, means: ImportMeans): Outcome {
  return new MosquittoImport(file, means).of(text)
}

/** Text that no option of a file begins with has no row. */
function rowOf(key: string): Row | undefined {
  const prefix = /^(plugin|auth)_opt_/.exec(key)?.[0]
  const name = prefix ?? key
  for (const rows of [generalRows, listenerRows, bridgeRows]) if (Object.hasOwn(rows, name)) return rows[name]
  return undefined
}

class MosquittoImport {
  readonly #outcome = new Outcome()
  readonly #file: string
  readonly #means: ImportMeans
  readonly #listeners: MosquittoListeners
  readonly #bridges: MosquittoBridges
  readonly #plugins: Plugin[] = []
  /** Of all listeners: the last line of each counts. */
  readonly #general = new Map<string, Line>()
  #perListener = false
  #plugin: Plugin | undefined

  constructor(file: string, means: ImportMeans) {
    this.#file = file
    this.#means = means
    this.#listeners = new MosquittoListeners(this.#outcome, means, file)
    this.#bridges = new MosquittoBridges(this.#outcome, means, file)
  }

  of(text: string): Outcome {
    const lines = this.#linesOf(text, this.#file, true)
    const setting = lines.filter(({ key }) => key === "per_listener_settings").at(-1)
    this.#perListener = setting !== undefined && flagOf(setting.value) === true
    for (const line of lines) this.#take(line)
    for (const plugin of this.#plugins) this.#settlePlugin(plugin)
    this.#settleStore()
    this.#listeners.settle(this.#general)
    this.#bridges.settle()
    if (this.#outcome.settings.get("limits.maximumSessionExpiryInterval") === undefined)
      this.#outcome.defaults.push(
        "sessions end when their client has been away for 7 days (limits.maximumSessionExpiryInterval); there they stay until persistent_client_expiration",
      )
    this.#outcome.defaults.push(
      "who sends a user name where there is no password file is a client without login: rules of that name are not for it",
      "TLS is 1.3 only",
    )
    return this.#outcome
  }

  #linesOf(text: string, file: string, isMain: boolean): Line[] {
    const lines: Line[] = []
    for (const [at, raw] of text
      .replace(/^\ufeff/, "")
      .split("\n")
      .entries()) {
      const line = raw.trim()
      if (line === "" || line.startsWith("#")) continue
      const [key = "", ...rest] = line.split(" ")
      const value = rest.join(" ").trim()
      const shown = shownOf(line, key)
      const read = { key, value, source: { file, line: at + 1, text: shown } }
      if (key === "include_dir") lines.push(...this.#included(read, isMain))
      else lines.push(read)
    }
    return lines
  }

  #included(line: Line, isMain: boolean): Line[] {
    const folder = this.#means.beside(this.#file, line.value)
    const names = isMain ? this.#means.list(folder) : undefined
    if (names === undefined) {
      this.#outcome.leave(line.source, isMain ? "there is no such folder here" : "only the main file includes others")
      if (isMain) this.#outcome.told.push(`${line.source.file}:${line.source.line}: there is no folder ${folder}`)
      return []
    }
    const inOrder = names.filter((name) => name.endsWith(".conf")).sort(compareNames)
    this.#outcome.hold(
      line.source,
      `what stands in it is part of this file: ${oneLine(inOrder.join(", ")) || "nothing"}`,
    )
    return inOrder.flatMap((name) => {
      const path = this.#means.beside(`${folder}/x`, name)
      return this.#linesOf(this.#means.read(path) ?? "", path, false)
    })
  }

  #take(line: Line): void {
    const { key, value, source } = line
    const row = rowOf(key)
    if (row === undefined) {
      this.#outcome.leave(source, "Mosquitto 2.1 has no such option")
      return
    }
    if (value === "") {
      this.#outcome.leave(source, "it has no value")
      return
    }
    if (Object.hasOwn(bridgeRows, key)) {
      this.#bridges.take(line)
      return
    }
    if (row.special !== true) {
      this.#outcome.take(this.#outcome.settings, row.to ?? "", source, readingOf(row, value))
      return
    }
    if (Object.hasOwn(listenerRows, key)) {
      this.#listeners.take(line)
      return
    }
    switch (key) {
      case "per_listener_settings":
        this.#outcome.hold(source, "what a listener has of its own stands below it")
        return
      case "plugin":
      case "auth_plugin":
      case "global_plugin":
        this.#plugin = {
          line,
          options: [],
          listener: this.#perListener && key !== "global_plugin" ? this.#listeners.current : undefined,
        }
        this.#plugins.push(this.#plugin)
        return
      case "log_dest":
      case "log_type":
        this.#settleLog(line)
        return
      case "persistent_client_expiration":
        this.#settleExpiry(line)
        return
      case "acl_file":
      case "password_file":
      case "allow_anonymous":
        if (this.#perListener) this.#listeners.take(line)
        else this.#replace(line)
        return
      default:
        if (!/^(plugin|auth)_opt_/.test(key)) this.#replace(line)
        else if (this.#plugin === undefined) this.#outcome.leave(source, "there is no plugin before it")
        else this.#plugin.options.push(line)
    }
  }

  /** The last line counts. */
  #replace(line: Line): void {
    const before = this.#general.get(line.key)
    if (before !== undefined) this.#outcome.leave(before.source, "a later line says something else")
    this.#general.set(line.key, line)
  }

  #settleLog({ key, value, source }: Line): void {
    const [word = ""] = value.split(" ")
    if (word === "none") this.#outcome.take(this.#outcome.settings, "log", source, { value: "none" })
    else if (key === "log_dest" && word === "stdout")
      this.#outcome.hold(source, "the log is written to standard output")
    else if (key === "log_type" && ["all", "error", "warning", "notice", "information"].includes(word))
      this.#outcome.hold(source, "such lines are in the log")
    else this.#outcome.leave(source, rowOf(key)?.why ?? "")
  }

  #settleExpiry({ value, source }: Line): void {
    const [, count = "", unit = ""] = /^(\d{1,9})([shdwmy]?)$/.exec(value) ?? []
    const seconds = { s: 1, "": 1, h: 3600, d: 86_400, w: 604_800, m: 2_592_000, y: 31_536_000 }[unit]
    const amount = Number(count) * (seconds ?? 0)
    this.#outcome.take(
      this.#outcome.settings,
      "limits.maximumSessionExpiryInterval",
      source,
      count === "" || amount < 1
        ? { left: "it is no time" }
        : {
            value: Math.min(amount, 0xffff_ffff),
            differs: "MQTT 5.0 clients that ask for a longer time are held to it, too",
          },
    )
  }

  /** Plugins of Mosquitto's own that have a counterpart. */
  #settlePlugin({ line, options, listener }: Plugin): void {
    const name = /(mosquitto_[a-z_]+)\.(?:so|dll|dylib)$/.exec(line.value)?.[1]
    const option =
      name === "mosquitto_password_file" ? "password_file" : name === "mosquitto_acl_file" ? "acl_file" : undefined
    const file = option && options.find(({ key }) => /^(plugin|auth)_opt_(.*)$/.exec(key)?.[2] === option)
    if (option === undefined || file === undefined) {
      const why =
        name === "mosquitto_dynamic_security"
          ? "clients, groups and roles of the Dynamic Security plugin are no file of ours: write users and rules anew"
          : name === "mosquitto_persist_sqlite"
            ? "sessions and messages are kept in files by the broker itself (`store`)"
            : "there are no plugins"
      for (const each of [line, ...options]) this.#outcome.leave(each.source, why)
      if (name === "mosquitto_dynamic_security" || line.key === "auth_plugin") this.#listeners.needLogin()
      if (!name?.startsWith("mosquitto_persist"))
        this.#outcome.told.push(
          `${line.source.file}:${line.source.line}: ${oneLine(line.value)} is not carried over: ${why}`,
        )
      return
    }
    this.#outcome.carry(line.source)
    for (const each of options) if (each !== file) this.#outcome.leave(each.source, "it is not known of this plugin")
    const meant = { ...file, key: option }
    if (listener === undefined) this.#replace(meant)
    else this.#listeners.take(meant, listener)
  }

  #settleStore(): void {
    const { settings } = this.#outcome
    const on = this.#general.get("persistence")
    const isOn = on !== undefined && flagOf(on.value) === true
    if (isOn) {
      const differs = "what is acknowledged is on disk, and outlives the end of the process; a mosquitto.db is not read"
      this.#outcome.take(settings, "store.type", on.source, { value: "files", differs })
    } else {
      settings.set(
        "store.type",
        "memory",
        on === undefined ? [] : [on.source],
        'as there, where persistence is not true; with "files" sessions and retained messages outlive the process',
      )
      if (on !== undefined) this.#outcome.carry(on.source)
    }
    const place = this.#general.get("persistence_location")
    if (place === undefined) return
    if (!isOn) this.#outcome.leave(place.source, "persistence is not true")
    else {
      const value = `${place.value.replace(/\/+$/, "")}/puremq`
      this.#outcome.take(settings, "store.directory", place.source, { value, differs: "a folder of its own in it" })
    }
  }
}

/** A line as a comment may repeat it. */
function shownOf(line: string, key: string): string {
  const row = rowOf(key)
  const isSecret =
    row?.secret === true ||
    isSecretName(key) ||
    /^(plugin|auth)_opt_(?!password_file$|acl_file$)/.test(key) ||
    (row === undefined && /pass|secret|token|psk|cred/i.test(line))
  return isSecret ? `${oneLine(key).replace(/[=:].*$/, "")} (the value is a secret, and stands there)` : oneLine(line)
}

/** As Mosquitto reads a folder: letter by letter, of the same letter the upper case first. */
function compareNames(a: string, b: string): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const [one, other] = [a[i] ?? "", b[i] ?? ""]
    if (one === other) continue
    const [low, otherLow] = [one.toLowerCase(), other.toLowerCase()]
    if (low !== otherLow) return low < otherLow ? -1 : 1
    return one < other ? -1 : 1
  }
  return a.length - b.length
}
