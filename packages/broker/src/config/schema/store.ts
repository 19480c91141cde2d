// Rows of the option table: where the broker keeps what outlives connections.

import type { StoreConfig } from "../config.ts"
import { folderName, milliseconds, number, oneOf } from "./kinds.ts"
import type { Need, Rows } from "./option.ts"

const files: Need = {
  words: "`type` files",
  met: (of) => of("type") !== "memory",
  inFile: (where, name) => `${where}.${name} means nothing with type memory`,
  onCommandLine: (flag) => `--${flag} means nothing with --store memory`,
}

export const storeOptions: Rows<StoreConfig> = {
  type: {
    kind: oneOf("files", "memory"),
    about: "files: it outlives the process; memory: it ends with it",
    default: "files",
    flag: { name: "store", section: "store", placeholder: "WHERE" },
  },
  directory: {
    kind: folderName,
    about: "the folder of the files, made when it is not there; one broker has it at a time",
    otherwise: ".puremq/store",
    needs: [files],
    flag: { name: "data", section: "store" },
  },
  durability: {
    kind: oneOf("process", "power"),
    about:
      "what an acknowledged message outlives: the end of the process, kill -9 included; or that of the machine too, and then each acknowledgement waits for the disk",
    default: "process",
    needs: [files],
    flag: { name: "durability", section: "store", placeholder: "WHAT" },
  },
  flushInterval: {
    kind: milliseconds(0, 60_000),
    about: "collect changes for so long before they are written, for flash; acknowledgements wait for it",
    default: 0,
    needs: [files],
  },
  maximumBytes: {
    kind: number(1_048_576, Number.MAX_SAFE_INTEGER, "bytes"),
    about:
      "bytes that the folder may have; when it is full, QoS 1 and 2 are refused, and so is a message of more than a sixteenth",
    otherwise: "as many as the disk has",
    needs: [files],
    flag: { name: "store-size", section: "store" },
  },
}
