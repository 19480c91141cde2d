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
    "Everything that can be set, as the [option table](../packages/broker/src/config/schema/options.ts) has it: in a TOML or JSON file (`puremq start --config puremq.toml`), in the environment, and on the command line of `puremq start`. `createBroker` takes the same object as the file, with the texts of files in the place of their names: `cert`, `key`, `ca` and `crl` are PEM, `login.passwords`, `acl` and `admin.tokens` are what `login.passwordFile`, `aclFile` and `admin.tokenFile` would hold; `onEvent` stands for `log`, and `reload` is a method.",
    "",
    "What the command line says goes before the environment, that before the file, and that before the defaults. A name that is unknown, a value out of its range and an option that means nothing without another are errors, in one line with file and line, or the variable, or the flag, and with what to write instead, before anything is opened. `puremq check-config` says the same without starting anything, and what it all comes to (`--print`, `--print=json`), with where each value comes from (`--sources`). File names in the file are relative to it, others to where the program runs. Times are milliseconds where the table says so; a flag of its own has seconds. The column SIGHUP says when a running broker takes another value, once it is told to (by SIGHUP, or by `reload`): at once, for new connections, which leaves open ones what they began with and what CONNACK told them, or at the next start only, and then the log names what was left. A limit that is lower now throws nothing away: sessions, subscriptions, retained and waiting messages, connections and answers under way stay, and count; one that is higher holds at once. A reload is refused as a whole, and nothing changes, when one of the files cannot be used, when listeners are others or elsewhere, and when there is no authority of clients, password file or access control list any more where there was one.",
    "",
    "```toml",
    ...example,
    "```",
    "",
    ...words,
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

const example = [
  "#:schema ./node_modules/@puremq/broker/puremq.schema.json",
  "[listeners.tls]",
  'host = "0.0.0.0"',
  "port = 8883",
  'cert = "server.pem"',
  'key = "server-key.pem"',
  "",
  "[listeners.office]          # a name of one's own says its type",
  'type = "wss"',
  "port = 8443",
  'cert = "server.pem"',
  'key = "server-key.pem"',
  "",
  "[login]",
  'passwordFile = "users"',
  "",
  "[limits]",
  "maximumQueuedMessages = 1000",
]

const words = [
  'The same in JSON is `{"listeners": {"tls": {"host": ...}}, ...}`. A file whose name ends in `.json` is JSON, one in `.toml` TOML, and else how it begins decides. Listeners may also be a list (`[[listeners]]`), each with its `type` and, if it is to have one, its `name`. `#:schema` and `$schema` are for [editors](../packages/broker/puremq.schema.json) (`puremq check-config --schema` prints the schema), and the broker does not look at them.',
  "",
  "**Environment.** Each option has a variable: `PUREMQ_`, and the names that lead to it in capitals, with `__` between two names and `_` between the words of one. `limits.maximumQueuedMessages` is `PUREMQ_LIMITS__MAXIMUM_QUEUED_MESSAGES`, and `port` of the listener `office` `PUREMQ_LISTENERS__OFFICE__PORT`; where there is no such listener it is made, and `OFFICE_2` is the listener `office-2`. Bridges and webhooks are in the file alone. Numbers are as in the file or have a unit (`10s`, `500ms`, `64KiB`), lists have commas. `PUREMQ_CONFIG` names the file. A variable that begins with `PUREMQ_` and is no option's is an error, but for those that Kubernetes sets where a service is called puremq (`PUREMQ_SERVICE_HOST`, `PUREMQ_PORT_8883_TCP`), for `PUREMQ_PASSWORD`, which `puremq pub` and `puremq sub` read, and for `PUREMQ_ADMIN_TOKEN`, which `puremq health` and `puremq top` read.",
  "",
  "**Command line.** Where an option has a flag, the table names it; `--set limits.maximumInflight=50` reaches every other. A flag that is about listeners is about all that may have it; `--tls`, `--wss`, `--tcp` and `--ws` are about the listener of that name, and make it where there is none. Without a file and without listeners in the environment there is one, `tls`, on 127.0.0.1:8883, with a development certificate.",
  "",
  "**Secrets** are never on a command line, which others can read, and `--print` does not show them. They are in files that an option names, or in an option that is marked *secret*: its variable may have `_FILE` behind it, and then names a file with the secret in its first line.",
  "",
  "No file is read that nobody has named: a `puremq.toml` where the program happens to run could be anybody's.",
]

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

function meaning({ about, more, needs = [], secret }: Option<unknown>, instead: string | undefined): string {
  const wanted = needs.map(({ words }) => `Needs ${words}.`)
  return [
    instead ?? sentence(about),
    ...(more === undefined ? [] : [more]),
    ...wanted,
    ...(secret ? ["*Secret.*"] : []),
  ].join(" ")
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
