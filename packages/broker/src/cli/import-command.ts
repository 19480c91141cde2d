// The options of `puremq import`.

import type { Command } from "@puremq/tls13/command-line"
import { products } from "../config/import/guess.ts"
import { help } from "./client-commands.ts"

export const importCommand: Command = {
  name: "puremq import",
  words: ["file"],
  summary: "make a configuration of one of Mosquitto, NanoMQ or EMQX",
  about: "  puremq import mosquitto.conf --out puremq.toml\n  puremq check-config --config puremq.toml",
  sections: [
    {
      rows: [
        {
          name: "from",
          value: products.join("|"),
          help: "whose configuration it is (default: by the name of the file, or its options)",
        },
        {
          name: "out",
          value: "FILE",
          help: "where to write it; users and rules that have to be converted go beside it (default: standard output)",
        },
        { name: "force", help: "write over files that are there" },
      ],
    },
    help,
  ],
  after:
    "What has no counterpart becomes a comment with its line and why; what means something else here says so; secrets are not copied. Password files and access control lists of Mosquitto are read as they are. A summary goes to standard error. Exit status 0: the broker can be started with it; 1: it names files that are missing here or cannot be used, or nothing was written. All options: docs/coming-from.md.",
}
