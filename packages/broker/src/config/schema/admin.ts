// Rows of the option table: the admin API.

import { isLoopback } from "../../listen/http-rules.ts"
import type { FileAdmin } from "../file-config.ts"
import { group } from "./group.ts"
import { fileName, host, list, port, readAddress, text } from "./kinds.ts"
import type { Kind, Need, Rows } from "./option.ts"

const encrypted: Need = {
  words: "`cert` and `key`, unless it is a loopback address",
  met: (of) => of("cert") !== undefined || isLoopback(String(of("host"))),
  inFile: (where) =>
    `${where}.host is an address that others reach, and tokens would cross the network unencrypted: add ${where}.cert and ${where}.key, or listen on 127.0.0.1`,
  onCommandLine: () =>
    "--admin is on an address that others reach, and tokens would cross the network unencrypted: add --admin-cert and --admin-key, or listen on 127.0.0.1",
}
const tokens: Need = {
  words: "`tokenFile`",
  met: (of) => of("tokenFile") !== undefined,
  inFile: (where) => `${where}.tokenFile is missing`,
  onCommandLine: () => '--admin needs --admin-token-file FILE, which "puremq token FILE NAME" writes',
}
const address: Need = {
  words: "`port`",
  met: (of) => of("port") !== undefined,
  inFile: (where) => `${where}.port is missing`,
  onCommandLine: (flag) => `--${flag} needs --admin [HOST:]PORT`,
}

function together(other: string, otherFlag: string): Need {
  return {
    words: `\`${other}\``,
    met: (of) => of(other) !== undefined,
    inFile: (where, name) => `${where}.${name} needs ${where}.${other}`,
    onCommandLine: (flag) => `--${flag} needs --${otherFlag}: a certificate and its private key go together`,
  }
}

const rows: Rows<FileAdmin> = {
  host: { kind: host, about: "the address to listen on", default: "127.0.0.1", needs: [encrypted] },
  port: { kind: port, about: "the port; 0 takes a free one", required: true, needs: [tokens] },
  tokenFile: {
    kind: fileName,
    about: 'who may ask, and what: written by "puremq token"',
    required: true,
    reload: "at once",
    needs: [address],
    flag: { name: "admin-token-file", section: "watching" },
  },
  cert: {
    kind: fileName,
    about: "its certificate chain; with it the API is served over TLS 1.3 alone",
    reload: "new connections",
    needs: [together("key", "admin-key"), address],
    flag: { name: "admin-cert", section: "watching" },
  },
  key: {
    kind: fileName,
    about: "the private key of that",
    reload: "new connections",
    needs: [together("cert", "admin-cert"), address],
    flag: { name: "admin-key", section: "watching" },
  },
  keyPasswordFile: {
    kind: fileName,
    about: "its first line is the key's password, when the key is encrypted",
    reload: "new connections",
    needs: [together("key", "admin-key")],
  },
  hosts: { kind: list(text, "texts"), about: "host names it is known by, as `hosts` of a listener" },
}

export const admin: Kind<FileAdmin> = { ...group<FileAdmin>(rows), placeholder: "[HOST:]PORT", read: readAddress }
