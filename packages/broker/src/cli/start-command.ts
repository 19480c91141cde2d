// `puremq start` as a command: the rows of the option table that have a place on the command line, and what is there alone.

import type { Command, OptionRow, OptionSection } from "@puremq/tls13/command-line"
import type { FileConfig } from "../config/file-config.ts"
import { everyOption, type Flag, type Option, type Placed, type Rows } from "../config/schema/option.ts"
import { options } from "../config/schema/options.ts"
import { isInList } from "../config/schema/paths.ts"

const insteadOfSeveral = "more listeners are for the file of --config"

/** The sections of the help text, in their order: what only the command line has stands before the rows of the table. */
const sections: readonly {
  readonly of: Flag["section"]
  readonly title: string
  readonly own: readonly OptionRow[]
}[] = [
  {
    of: "listeners",
    title: "Listeners (HOST is 127.0.0.1 unless given; 0.0.0.0 is every address of this machine)",
    own: [
      { name: "tls", value: "[HOST:]PORT", help: "MQTT over TLS 1.3 (default 8883)", insteadOfSeveral },
      { name: "wss", value: "[HOST:]PORT", help: "MQTT over WebSocket over TLS 1.3", insteadOfSeveral },
      {
        name: "tcp",
        value: "[HOST:]PORT",
        help: "MQTT over TCP, nothing encrypted (off unless given)",
        insteadOfSeveral,
      },
      {
        name: "ws",
        value: "[HOST:]PORT",
        help: "MQTT over WebSocket, nothing encrypted (off unless given)",
        insteadOfSeveral,
      },
      { name: "no-tls", help: "no TLS listener" },
    ],
  },
  { of: "certificates", title: "Certificates (PEM or DER)", own: [] },
  { of: "rights", title: "Who may do what", own: [] },
  { of: "store", title: "What is kept (sessions, retained messages, what waits for clients)", own: [] },
  { of: "watching", title: "Watching it", own: [] },
  { of: "limits", title: "Limits (the file has more of them)", own: [] },
  { of: "handshakes", title: "Handshakes of each listener with TLS", own: [] },
]

/** @param table for a test, another than the broker's */
export function startCommandOf(table: Rows<FileConfig>): Command {
  return {
    name: "puremq start",
    summary: "run the broker; without options, on 127.0.0.1:8883 with a development certificate",
    about:
      "Without options that is TLS 1.3 only, open to every program on this machine; the certificate is made in .puremq/ the first time.",
    sections: [...sectionsOf(table), { rows: [...sourceRows, helpRow] }],
    after:
      'Each option may also be in the environment, named after its place in the file: PUREMQ_LIMITS__MAXIMUM_INFLIGHT=50, PUREMQ_LISTENERS__TLS__PORT=8884, PUREMQ_CONFIG=FILE. "puremq check-config" with the same options says what they come to.\nStop it with Ctrl-C: clients are told and connections closed.',
  }
}

/** What the broker is configured by. */
const sourceRows: readonly OptionRow[] = [
  {
    name: "config",
    value: "FILE",
    help: "a TOML or JSON file with all of this and more. What the environment says goes before it, and what the command line says before that",
  },
  {
    name: "set",
    value: "PATH=VALUE",
    choices: settable(),
    multiple: true,
    help: "any option of the file, such as limits.maximumInflight=50 or listeners.tls.port=8884. Repeat it for more",
  },
]

/** What stands before the value; of listeners those of the one that there is where nobody names any. */
function settable(): string[] {
  const isSettable = ({ path, option: { kind, secret } }: Placed) =>
    kind.read !== undefined && secret !== true && (path[0] === "listeners" || !isInList(options, path))
  const placed = everyOption(options).filter(isSettable)
  return placed
    .map(({ path: [first = "", ...rest] }) => [first, ...(first === "listeners" ? ["tls"] : []), ...rest].join("."))
    .filter((place) => place !== "listeners.tls")
    .map((place) => `${place}=`)
}

const helpRow: OptionRow = { name: "help", help: "this text" }

function sectionsOf(table: Rows<FileConfig>): OptionSection[] {
  const rows = everyOption(table).flatMap(({ option }) =>
    option.flag === undefined ? [] : [{ option, flag: option.flag }],
  )
  return sections.map(({ of, title, own }) => ({
    title,
    rows: [...own, ...rows.filter(({ flag }) => flag.section === of).map(({ option, flag }) => rowOf(option, flag))],
  }))
}

export const checkConfigCommand: Command = {
  name: "puremq check-config",
  summary: "say whether a configuration is good, and what it comes to; nothing is started",
  about:
    'Reads what "puremq start" with the same options would, with the files that are named: certificates, keys, authorities, revocation lists, users and rules.',
  sections: [
    {
      rows: [
        {
          name: "print",
          optionalValue: "toml|json",
          help: "print all that is set, with the defaults; names of files from the root. It is the same for the same broker, whether a file, the environment or the command line says so",
        },
        {
          name: "sources",
          help: "with --print: where each value comes from, a line of the file, a variable or a flag",
        },
        { name: "schema", help: "print the JSON Schema of the file, for editors, and nothing else" },
      ],
    },
    ...sectionsOf(options),
    { rows: [...sourceRows, helpRow] },
  ],
  after:
    "Its status is 0 when the configuration is good; 1, or 2 for the command line, and one line with what to do when it is not.",
}

export const startCommand: Command = startCommandOf(options)

function rowOf({ kind, about, ...option }: Option<unknown>, flag: Flag): OptionRow {
  const value = flag.placeholder ?? kind.placeholder
  const choices = kind.choices === undefined ? "" : `${inWords(kind.choices)}: `
  const again = kind.repeats ? ". Repeat it for more" : ""
  const otherwise = flag.otherwise ?? option.otherwise ?? defaultOf(option.default, kind.scale)
  const help = `${choices}${about}${again}${otherwise === undefined || value === undefined ? "" : ` (default ${otherwise})`}`
  return {
    name: flag.name,
    help,
    ...(value !== undefined && { value }),
    ...(kind.choices !== undefined && { choices: kind.choices.map(String) }),
    ...(kind.repeats && { multiple: true }),
  }
}

/** As it is written on the command line. */
function defaultOf(value: unknown, scale = 1): string | undefined {
  return typeof value === "number" ? `${value / scale}` : value === undefined ? undefined : `${value}`
}

function inWords(choices: readonly (string | number)[]): string {
  return `${choices.slice(0, -1).join(", ")} or ${choices.at(-1)}`
}
