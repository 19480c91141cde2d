// docs/configuration.md, made of the option table and of the commands' rows.

import { type Command, rowsOf } from "@puremq/tls13/command-line"
import { everyOption, type Option, type Part, type Table } from "../../packages/broker/src/config/schema/option.ts"
import { commentsOf } from "./comments.ts"

const limits = commentsOf("broker/src/session/limits.ts", "Limits")

export function configurationPage(table: Table, command: Command): string {
  const groups = Object.entries(table).filter(([, { kind }]) => kind.parts !== undefined)
  const flags = new Set(everyOption(table).map(({ option }) => option.flag?.name))
  const others = rowsOf(command).filter(({ name }) => !flags.has(name))
  return [
    "# Configuration of the broker",
    "",
    "Everything that can be set, as the [option table](../packages/broker/src/config/schema/options.ts) has it: in a JSON file (`puremq start --config puremq.json`), or on the command line of `puremq start` where an option is named. `createBroker` takes the same object as the file, with the texts of files in the place of their names: `cert`, `key`, `ca` and `crl` are PEM, `login.passwords`, `acl` and `admin.tokens` are what `login.passwordFile`, `aclFile` and `admin.tokenFile` would hold; `onEvent` stands for `log`, and `reload` is a method.",
    "",
    "A name that is unknown, a value out of its range and an option that means nothing without another are errors, in one line with the place, before anything is opened. File names in the file are relative to it. Times are milliseconds where the table says so; the command line has seconds. The column SIGHUP says when a running broker takes another value, once it is told to (by SIGHUP, or by `reload`): at once, for new connections, which leaves open ones what they began with and what CONNACK told them, or at the next start only, and then the log names what was left. A limit that is lower now throws nothing away: sessions, subscriptions, retained and waiting messages, connections and answers under way stay, and count; one that is higher holds at once. A reload is refused as a whole, and nothing changes, when one of the files cannot be used, when listeners are others or elsewhere, and when there is no authority of clients, password file or access control list any more where there was one.",
    "",
    "```json",
    JSON.stringify(example, undefined, 2),
    "```",
    "",
    "## The file",
    "",
    ...rows({ rows: table }, false),
    ...groups.flatMap(([name, { kind, about }]) => [
      "",
      `## ${name}`,
      "",
      `${sentence(about)}${name === "limits" ? " Where MQTT has a word for it, a client is told so: see [limits](limits.md#the-broker). Defaults that depend on memory are those of a heap of 512 MiB." : ""}`,
      ...(kind.parts ?? []).flatMap((part) => ["", ...heading(part), ...rows(part, true, name)]),
    ]),
    "",
    "## On the command line alone",
    "",
    "| option | what it does |",
    "|---|---|",
    ...others.map(
      ({ name, value, help }) =>
        `| \`${cell(`--${name}${value === undefined ? "" : ` ${value}`}`)}\` | ${cell(sentence(help))} |`,
    ),
  ].join("\n")
}

const example = {
  listeners: [{ type: "tls", host: "0.0.0.0", port: 8883, cert: "server.pem", key: "server-key.pem" }],
  login: { passwordFile: "users" },
  limits: { maximumQueuedMessages: 1000 },
}

function heading({ title, types }: Part): string[] {
  if (title === undefined) return []
  return [
    `### ${title}`,
    "",
    ...(types === undefined ? [] : [`Listeners of the type${types.length === 1 ? "" : "s"} ${inWords(types)}.`, ""]),
  ]
}

function rows(part: Part, deep: boolean, group?: string): string[] {
  const placed = deep
    ? everyOption(part.rows)
    : Object.entries(part.rows).map(([name, option]) => ({ path: [name], option }))
  const lines = placed.map(({ path, option }) => {
    const name = path.join(".")
    return `| \`${name}\` | ${cell(value(option, deep ? undefined : name))} | ${cell(preset(option))} | ${onCommandLine(option)} | ${atReload(option)} | ${cell(meaning(option, group === "limits" ? limits.get(name) : undefined))} |`
  })
  return ["| option | value | default | `puremq start` | SIGHUP | what it is |", "|---|---|---|---|---|---|", ...lines]
}

function value({ kind }: Option<unknown>, group: string | undefined): string {
  return kind.parts === undefined || group === undefined ? kind.words : `[${kind.words}](#${group.toLowerCase()})`
}

function preset({ default: value, otherwise, required }: Option<unknown>): string {
  if (required) return "must be there"
  if (value === undefined) return otherwise ?? "none"
  return typeof value === "number" ? value.toLocaleString("en-US") : `\`${value}\``
}

function onCommandLine({ flag, kind }: Option<unknown>): string {
  if (flag === undefined) return ""
  const text = flag.placeholder ?? kind.placeholder
  return `\`${cell(`--${flag.name}${text === undefined ? "" : ` ${text}`}`)}\``
}

function atReload({ kind, reload }: Option<unknown>): string {
  if (kind.parts === undefined) return reload ?? "next start"
  const inside = new Set(kind.parts.flatMap(({ rows }) => Object.values(rows).map(atReload)))
  return inside.size === 1 ? [...inside].join() : "see there"
}

function meaning({ about, more, needs = [] }: Option<unknown>, instead: string | undefined): string {
  const wanted = needs.map(({ words }) => `Needs ${words}.`)
  return [instead ?? sentence(about), ...(more === undefined ? [] : [more]), ...wanted].join(" ")
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}${text.endsWith(".") ? "" : "."}`
}

function inWords(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(" and ")
}

/** A cell of a table may have no bare line of its own. */
function cell(text: string): string {
  return text.replaceAll("|", "\\|")
}
