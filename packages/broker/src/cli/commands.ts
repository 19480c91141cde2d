// The commands of `puremq`, and the options of each. Nothing else is loaded for a help text.

import type { Command, Program } from "@puremq/tls13/command-line"
import { version } from "../admin/version.ts"
import { benchCommand } from "./bench/command.ts"
import { help, pubCommand, rrCommand, subCommand } from "./client-commands.ts"
import { importCommand } from "./import-command.ts"
import { healthCommand, topCommand } from "./monitor/command.ts"
import { checkConfigCommand, startCommand } from "./start-command.ts"

export const certCommand: Command = {
  name: "puremq cert",
  summary: "make an authority and certificates for development",
  sections: [
    {
      rows: [
        { name: "dir", value: "FOLDER", help: "where to write (default .puremq)" },
        {
          name: "name",
          value: "NAME",
          multiple: true,
          help: "host name or IP address of the server; repeat for more (default localhost, 127.0.0.1, ::1)",
        },
        { name: "client", value: "NAME", help: "common name of the client certificate (default: client)" },
        {
          name: "client-san",
          value: "NAME",
          multiple: true,
          help: "another name of the client, repeat for more: device@example.com, urn:dev:7, spiffe://example.com/7, device.example.com",
        },
        {
          name: "key",
          value: "TYPE",
          choices: ["p256", "ed25519", "rsa", "ed448", "ml-dsa-44", "ml-dsa-65", "ml-dsa-87"],
          help: "kind of the keys: p256 (default), ed25519, rsa, ed448 (for clients that take it), or one that no quantum computer breaks: ml-dsa-44, ml-dsa-65, ml-dsa-87 (for clients that take them; need the package @noble/post-quantum)",
        },
        { name: "days", value: "N", help: "validity of server and client certificate (default 397)" },
        { name: "delegation", help: "their keys may sign delegated credentials, as tls13 delegate makes them" },
        { name: "force", help: "write over files that are there" },
      ],
    },
    help,
  ],
  after:
    "Writes ca.pem, ca-key.pem, server.pem, server-key.pem, client.pem and client-key.pem. Keys are readable by you alone. These certificates are for trying things out: nobody but you should trust this authority.",
}

export const passwdCommand: Command = {
  name: "puremq passwd",
  words: ["file"],
  summary: "add, change or delete a user in a password file",
  about:
    "  puremq passwd FILE USER             asks for the password, or reads it from standard input\n  puremq passwd FILE USER --scram     for clients that use SCRAM-SHA-256\n  puremq passwd FILE USER --delete",
  sections: [
    {
      rows: [
        {
          name: "cost",
          value: "N",
          help: "scrypt cost, 10 to 17 (default 15: 32 MiB for each login; one more is twice the work). Best one for all users: a login that fails costs a computation of each cost in the file, so as not to tell who exists",
        },
        {
          name: "scram",
          help: "keep keys for SCRAM-SHA-256 too, with which an MQTT 5.0 client logs in without sending its password",
        },
        {
          name: "iterations",
          value: "N",
          help: "with --scram: PBKDF2 iterations, 4096 to 10000000 (default 600000: 0.3 s of a computer at each login, all of it the client's; a small device may need 4096, and then a long random password). Best one for all users",
        },
        { name: "delete", help: "take the user out" },
      ],
    },
    help,
  ],
  after:
    'The file holds no passwords, only salted scrypt hashes, and with --scram what PBKDF2 makes of them, which is faster to try passwords on. A running broker takes a change at SIGHUP or with "puremq start --reload".',
}

export const tokenCommand: Command = {
  name: "puremq token",
  words: ["file"],
  summary: "add, change or delete a token of the admin API",
  about:
    "  puremq token FILE NAME                    may look at everything\n  puremq token FILE NAME --scope operate    may also disconnect clients, publish, reload and the rest\n  puremq token FILE NAME --delete",
  sections: [
    {
      rows: [
        {
          name: "scope",
          value: "SCOPE",
          choices: ["read", "operate"],
          help: "read (default) or operate, which includes read",
        },
        { name: "force", help: "put a new token in the place of one with this name" },
        { name: "delete", help: "take the token out" },
      ],
    },
    help,
  ],
  after:
    'Prints the token, this once: the file has only its SHA-256. NAME is for the log, which has a line for each operation. A running broker takes a change at SIGHUP, with "puremq start --reload", or by the admin API itself.',
}

export const storeCommand: Command = {
  name: "puremq store",
  words: [["check", "export", "import", "compact"], "folder"],
  summary: "check, export, import or compact the folder that a broker keeps sessions and messages in",
  about:
    "  puremq store check FOLDER             reads all of it, and says what there is\n  puremq store export FOLDER > FILE     writes it as lines of JSON\n  puremq store import FOLDER < FILE     makes a new one of such lines\n  puremq store compact FOLDER           takes out what is done with",
  sections: [
    {
      rows: [
        {
          name: "up-to-damage",
          help: "export what comes before damage, instead of nothing; then import it, with --incomplete, into another folder",
        },
        {
          name: "incomplete",
          help: "import lines without their end line, of an older puremq, say, or that are not as many as it says. Those that refer to a session or message that is missing are left out, and it says how many. What is missing is lost, and nobody tells what that is: sessions, subscriptions, messages that were acknowledged",
        },
      ],
    },
    help,
  ],
  after:
    "No broker may have the folder open meanwhile. check and export change nothing in it. In the lines, bytes are in base64, times in milliseconds since 1970, and null is never. The last one says how many there are, and import refuses what has lost some of them, or refers to a session or message that no line before it has.",
}

export const completionsCommand: Command = {
  name: "puremq completions",
  words: [["bash", "zsh", "fish"]],
  summary: "print what a shell completes the commands and options of puremq by",
  about:
    '  source <(puremq completions bash)                                          in ~/.bashrc\n  puremq completions zsh > "$fpath[1]/_puremq"                               once, then a new zsh\n  puremq completions fish > ~/.config/fish/completions/puremq.fish           once',
  sections: [help],
  after: "It is made of what --help tells, so print it again after an update.",
}

export const program: Program = {
  name: "puremq",
  version,
  summary: "an MQTT 3.1.1 and 5.0 broker on its own TLS 1.3",
  plain: "start",
  commands: {
    start: startCommand,
    "check-config": checkConfigCommand,
    import: importCommand,
    cert: certCommand,
    pub: pubCommand,
    sub: subCommand,
    rr: rrCommand,
    bench: benchCommand,
    passwd: passwdCommand,
    token: tokenCommand,
    store: storeCommand,
    health: healthCommand,
    top: topCommand,
    completions: completionsCommand,
  },
}
