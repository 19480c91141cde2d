// The options of `puremq health` and `puremq top`, which ask a running broker.

import type { Command, OptionSection } from "@puremq/tls13/command-line"
import { help } from "../client-commands.ts"

/** Seconds, where nothing is said. */
export const usualTimeout = 5

function whereToAsk(more: readonly OptionSection["rows"][number][]): OptionSection {
  return {
    title: "Where to ask",
    rows: [
      {
        name: "config",
        value: "FILE",
        help: 'the broker\'s configuration, which says where it listens. It is read as by "puremq start": what the environment says (PUREMQ_CONFIG, PUREMQ_ADMIN__PORT) goes before it',
      },
      {
        name: "cafile",
        also: ["ca"],
        value: "FILE",
        help: "authority of the broker's certificate (default: the ca.pem beside it, where that is its authority; with URL: .puremq/ca.pem if it is there; else this machine's)",
      },
      {
        name: "server-name",
        value: "NAME",
        help: "a name that its certificate has (default: the host of URL; without URL: one that the certificate of the configuration has)",
      },
      ...more,
      {
        name: "token-file",
        value: "FILE",
        help: "its first line is a token of the admin API; it may also be in PUREMQ_ADMIN_TOKEN, and is never on a command line",
      },
      { name: "timeout", value: "SECONDS", help: `how long an answer may take, 1 to 300 (default ${usualTimeout})` },
    ],
  }
}

export const healthCommand: Command = {
  name: "puremq health",
  summary: "ask a running broker whether it is well, for health checks of containers and service managers",
  about:
    "  puremq health --config puremq.toml        its admin API, or, where it has none, MQTT on its first listener\n  puremq health http://127.0.0.1:8884       this admin API\n  puremq health mqtts://127.0.0.1:8883      MQTT: mqtt, mqtts, ws or wss",
  sections: [
    {
      rows: [
        {
          name: "alive",
          help: "an answer is enough, though it says that the broker is not well: for probes that end a process which fails them",
        },
        { name: "quiet", help: "no line, the status alone" },
      ],
    },
    whereToAsk([
      { name: "listener", value: "NAME", help: "by MQTT on this listener of the configuration, admin API or not" },
      { name: "cert", value: "FILE", help: "a client certificate for MQTT, where the broker asks for one" },
      { name: "key", value: "FILE", help: "its private key" },
    ]),
    help,
  ],
  after:
    "Its status is 0 when the broker is well; 1 and one line with what to do when it is not, or does not answer; 2 when the question is wrong. The admin API says whether it is well to whoever asks; with a token it also says why not. By MQTT it is well when it answers CONNECT: also with a refusal for want of a login or a certificate, but not with one for want of room.",
}

export const topCommand: Command = {
  name: "puremq top",
  summary: "watch a running broker on a terminal: traffic, handshakes, queues, memory, clients",
  about:
    "  puremq top --config puremq.toml --token-file admin-token\n  puremq top http://127.0.0.1:8884 --token-file admin-token",
  sections: [
    {
      rows: [
        {
          name: "once",
          help: "print one screen and end, for scripts; 1 is the status when the broker does not answer",
        },
        { name: "interval", value: "SECONDS", help: "between two looks, 1 to 60 (default 2)" },
        {
          name: "sort",
          value: "KEY",
          choices: ["waiting", "unsent", "in-flight", "subscriptions", "since", "client"],
          help: "which clients come first: waiting (default), unsent, in-flight, subscriptions, since or client",
        },
        { name: "columns", value: "N", help: "with --once: of the screen (default: those of the terminal, or 100)" },
        { name: "rows", value: "N", help: "with --once: at most (default 40)" },
      ],
    },
    whereToAsk([]),
    help,
  ],
  after:
    "Keys: q quits, s sorts the clients otherwise, p pauses, the arrows scroll, ? tells the rest. With NO_COLOR in the environment it has no colours, in a locale without UTF-8 nothing but ASCII. Where the broker does not answer it says so, and goes on when it does.",
}
