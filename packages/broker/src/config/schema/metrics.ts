// Rows of the option table: where metrics are served, and to whom.

import type { FileMetrics } from "../file-config.ts"
import { group } from "./group.ts"
import { fileName, flag, host, list, port, readAddress, text } from "./kinds.ts"
import type { Kind, Need, Rows } from "./option.ts"

const anEndpoint: Need = {
  words: "`port`",
  met: (of) => of("port") !== undefined,
  inFile: (where) => `${where}.port is missing`,
  onCommandLine: (name) => `--${name} needs --metrics`,
}
const itsKey = together("key")
const itsCertificate = together("cert")

function together(other: "cert" | "key"): Need {
  return {
    words: `\`${other}\``,
    met: (of) => of(other) !== undefined,
    inFile: (where, name) => `${where}.${name} needs ${where}.${other}`,
    onCommandLine: (name) => `--${name} needs --metrics-${other}`,
  }
}

export const metricsOptions: Rows<FileMetrics> = {
  host: { kind: host, about: "the address to listen on", default: "127.0.0.1" },
  port: { kind: port, about: "the port; 0 takes a free one", required: true },
  hosts: { kind: list(text, "texts"), about: "host names it is known by, as `hosts` of a listener" },
  cert: {
    kind: fileName,
    about: "a certificate chain: metrics are served over TLS 1.3",
    otherwise: "HTTP without TLS",
    reload: "new connections",
    needs: [anEndpoint, itsKey],
    flag: { name: "metrics-cert", section: "watching", otherwise: "no TLS" },
  },
  key: {
    kind: fileName,
    about: "its private key",
    reload: "new connections",
    needs: [itsCertificate],
    flag: { name: "metrics-key", section: "watching" },
  },
  ca: {
    kind: fileName,
    about: "authority of client certificates: who asks for metrics has to show one of it",
    reload: "new connections",
    needs: [itsCertificate],
    flag: { name: "metrics-ca", section: "watching" },
  },
  tokenFile: {
    kind: fileName,
    about:
      "bearer tokens, one a line, of 16 characters or more: who asks for metrics has to show one of them. Lines that begin with # are left out",
    reload: "new connections",
    needs: [anEndpoint],
    flag: { name: "metrics-token-file", section: "watching" },
  },
  open: {
    kind: flag,
    about:
      "serve them on an address that is not a loopback one to everybody who reaches it, and without TLS where there is no certificate; else that is an error",
    default: false,
    needs: [anEndpoint],
    flag: { name: "metrics-open", section: "watching" },
  },
}

export const metricsKind: Kind<FileMetrics> = {
  ...group<FileMetrics>(metricsOptions),
  placeholder: "[HOST:]PORT",
  read: readAddress,
}
