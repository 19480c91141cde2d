// The rows of a listener: those of all, and those of listeners with TLS or WebSocket.

import type { ListenerLogin } from "../../access/login.ts"
import type { HandshakeLimits } from "../../listen/listener.ts"
import type { ListenerLimits } from "../../session/limits.ts"
import type {
  Address,
  AlpnSettings,
  BehindProxy,
  OwnRules,
  TlsChoices,
  TlsSettings,
  WebSocketSettings,
} from "../config.ts"
import { defaultHandshakeLimits as most, type RecordingSettings, recordingDefaults } from "../config.ts"
import type { KeyPassword, TlsFiles } from "../file-config.ts"
import { group } from "./group.ts"
import {
  fileName,
  flag,
  folderName,
  host,
  list,
  milliseconds,
  network,
  number,
  oneOf,
  origin,
  port,
  protocolName,
  text,
} from "./kinds.ts"
import { listenerLimitOptions } from "./limits.ts"
import type { Need, Part, Rows } from "./option.ts"
import { tlsChoiceRows } from "./tls-choices.ts"

const withTls = ["tls", "wss"]
const withWebSocket = ["ws", "wss"]

/** The rows of listeners, by what has them. */
export interface ListenerParts {
  readonly every: PartOf<Address & BehindProxy & OwnRules>
  readonly mqttOverTls: PartOf<AlpnSettings>
  readonly tls: PartOf<
    Omit<TlsSettings, keyof HandshakeLimits | keyof TlsChoices | "ech" | "ocsp" | "tickets"> & KeyPassword
  >
  readonly choices: PartOf<TlsChoices & Omit<TlsFiles, keyof KeyPassword>>
  readonly handshakes: PartOf<HandshakeLimits>
  readonly webSocket: PartOf<WebSocketSettings>
}

interface PartOf<T> extends Part {
  readonly rows: Rows<T>
}

const asksForCertificates: Need = {
  words: "`clientCertificate` to ask for certificates",
  met: (of) => of("clientCertificate") !== undefined && of("clientCertificate") !== "none",
  inFile: (where, name) =>
    `${where}.${name} is about client certificates, and ${where}.clientCertificate does not ask for any; set it to "request" or "require"`,
  onCommandLine: (flag) => `--${flag} is about client certificates, which nobody asks for: add --ca FILE`,
}
const authority: Need = {
  words: "`ca`, unless it is `none`",
  met: (of) => of("clientCertificate") === "none" || of("ca") !== undefined,
  inFile: (where) => `${where}.ca is missing: clients' certificates need an authority they are checked against`,
  onCommandLine: (flag) => `--${flag} needs --ca: the authority that clients' certificates are checked against`,
}
const lists: Need = {
  words: "`crl`, when it is `require`",
  met: (of) => of("revocation") !== "require" || of("crl") !== undefined,
  inFile: (where) => `${where}.crl is missing: revocation "require" needs the lists of the authorities`,
  onCommandLine: (flag) => `--${flag} require needs --crl: the lists to look certificates up in`,
}
const itsKey = together("key", (flag) => `--${flag} needs --key: a certificate and its private key go together`)
const itsCertificate = together(
  "cert",
  (flag) => `--${flag} needs --cert: a certificate and its private key go together`,
)
const theKey = together("key", (flag) => `--${flag} is about the key of --key: give one`)

const noPasswordFile: Need = {
  words: "no `keyPasswordFile`",
  met: (of) => of("keyPasswordFile") === undefined,
  inFile: (where, name) => `${where}.${name} and ${where}.keyPasswordFile are both there: leave one out`,
  onCommandLine: (flag) => `--${flag} and --key-password-file are both there: leave one out`,
}

function together(other: string, onCommandLine: Need["onCommandLine"]): Need {
  return {
    words: `\`${other}\``,
    met: (of) => of(other) !== undefined,
    inFile: (where, name) => `${where}.${name} needs ${where}.${other}`,
    onCommandLine,
  }
}

const about = "connections come from these proxies, and begin with a header of the PROXY protocol, version 1 or 2"

export const listenerParts: ListenerParts = {
  every: {
    rows: {
      host: {
        kind: host,
        about: "the address to listen on; 0.0.0.0 is every address of the machine",
        default: "127.0.0.1",
      },
      port: { kind: port, about: "the port; 0 takes a free one", required: true },
      proxyProtocol: {
        kind: group<NonNullable<BehindProxy["proxyProtocol"]>>({
          trusted: {
            kind: list(network, "addresses and networks (10.0.0.0/8)"),
            about: `${about}; from elsewhere they are closed`,
            required: true,
            flag: { name: "proxy-protocol", section: "listeners" },
          },
        }),
        about: "the listener is behind a proxy, which tells clients' addresses",
      },
      login: {
        kind: group<ListenerLogin>({
          anonymous: {
            kind: flag,
            about: "let clients without login in here",
            otherwise: "as `login.anonymous`",
            reload: "new connections",
          },
          certificates: {
            kind: flag,
            about: "a verified client certificate is a login here",
            otherwise: "as `login.certificates`",
            reload: "new connections",
          },
        }),
        about: "who gets in through this listener, where that is not as everywhere",
        more: "Users and rights are the same at each: a session goes on at another listener, and is of the user who is there.",
      },
      limits: {
        kind: group<ListenerLimits>(listenerLimitOptions),
        about:
          "what clients of this listener may cost, below the limits of the broker, which hold for all listeners together",
      },
    },
  },
  tls: {
    title: "TLS",
    types: withTls,
    homeless: (flag) => `--${flag} is about TLS, and no listener has it: leave out --no-tls, or add --wss`,
    rows: {
      cert: {
        kind: fileName,
        about: "the server's certificate chain",
        reload: "new connections",
        required: true,
        needs: [itsKey],
        flag: { name: "cert", section: "certificates", otherwise: "a development certificate in .puremq/" },
      },
      key: {
        kind: fileName,
        about: "its private key",
        reload: "new connections",
        required: true,
        needs: [itsCertificate],
        flag: { name: "key", section: "certificates" },
      },
      keyPassword: {
        kind: text,
        about: "the key's password, when the key is encrypted; better in a variable or in a file of its own than here",
        reload: "new connections",
        secret: true,
        needs: [theKey, noPasswordFile],
      },
      keyPasswordFile: {
        kind: fileName,
        about: "its first line is the key's password, when the key is encrypted",
        reload: "new connections",
        needs: [theKey],
        flag: { name: "key-password-file", section: "certificates" },
      },
      ca: {
        kind: fileName,
        about: "authority of client certificates",
        reload: "new connections",
        flag: { name: "ca", section: "certificates" },
      },
      clientCertificate: {
        kind: oneOf("none", "request", "require", "request-any"),
        about:
          "whether clients show certificates. One that is shown must be valid; with request-any whoever shows another is let in as without",
        default: "none",
        needs: [authority],
        flag: {
          name: "client-cert",
          section: "certificates",
          placeholder: "WHEN",
          otherwise: "require with --ca, else none",
        },
      },
      identity: {
        kind: oneOf("subject-cn", "subject", "san-email", "san-dns", "san-uri", "spki-sha256"),
        about: "what of a client's certificate is its user name",
        default: "subject-cn",
        needs: [asksForCertificates],
        flag: { name: "identity", section: "certificates", placeholder: "RULE" },
      },
      crl: {
        kind: fileName,
        about: "revocation lists that client certificates are looked up in",
        reload: "new connections",
        needs: [asksForCertificates],
        flag: { name: "crl", section: "certificates" },
      },
      revocation: {
        kind: oneOf("require", "ifPresent", "off"),
        about: "whether there must be a list of each issuer, or one that is there must be usable",
        default: "ifPresent",
        needs: [asksForCertificates, lists],
        flag: { name: "revocation", section: "certificates", placeholder: "WHEN" },
      },
      provider: {
        kind: oneOf("mixed", "fast", "noble", "host"),
        about:
          "whose cryptography it has: our own kernels (fast); those, but `node:crypto` for long records where it is faster (mixed); the audited packages alone; or `node:crypto`",
        default: "mixed",
      },
      workers: {
        kind: number(0, 64),
        about:
          "threads for the public-key operations of handshakes, so that connected clients do not wait for them; with 0 the broker's own thread does them",
        default: 0,
        flag: { name: "tls-workers", section: "handshakes" },
      },
      dangerousRecording: {
        kind: group<RecordingSettings>({
          directory: {
            kind: folderName,
            about: "the folder of the files, made when it is not there: `tls-1.jsonl` of the first connection of `tls`",
            required: true,
          },
          files: {
            kind: number(1, 10_000),
            about:
              "files of this listener in the folder, those of earlier starts counted; what connects then is in none",
            default: recordingDefaults.files,
          },
          bytes: {
            kind: number(4096, 67_108_864, "bytes"),
            about: "bytes of a file; what comes later on its connection is not in it",
            default: recordingDefaults.bytes,
          },
        }),
        about:
          "writes each connection down, with ALL ITS SECRETS and all that is sent and received, for `tls13 replay` to run again. To find a fault with, and then to be taken out and deleted: not for production",
        more: "See [record-and-replay.md](record-and-replay.md#a-broker).",
      },
    },
  },
  choices: {
    title: "What of TLS 1.3 is offered",
    types: withTls,
    rows: tlsChoiceRows,
  },
  mqttOverTls: {
    title: "MQTT right over TLS",
    types: ["tls"],
    homeless: (flag) => `--${flag} is about MQTT over TLS without WebSocket: leave out --no-tls`,
    rows: {
      alpn: {
        kind: list(protocolName, "protocol names (ALPN, RFC 7301)"),
        about:
          "what clients may speak by their ALPN, such as mqtt or x-amzn-mqtt-ca; one that offers other names only is refused, with the alert no_application_protocol, and one that offers none is let in",
        more: "The first in the list that the client has is chosen. With `[]` names are not looked at. Listeners of the type `wss` speak `http/1.1`.",
        default: ["mqtt"],
        flag: { name: "alpn", section: "listeners" },
      },
    },
  },
  handshakes: {
    title: "TLS handshakes",
    types: withTls,
    homeless: () => 'limits of TLS handshakes need a listener with TLS, see "puremq start --help"',
    rows: {
      handshakeTimeout: {
        kind: milliseconds(1, 600_000),
        about: "time for a TLS handshake",
        default: most.handshakeTimeout,
        reload: "new connections",
        flag: { name: "handshake-timeout", section: "handshakes" },
      },
      maxPendingHandshakes: {
        kind: number(1, 1_000_000),
        about: "TLS handshakes under way; more wait",
        default: most.maxPendingHandshakes,
        reload: "at once",
        flag: { name: "max-handshakes", section: "handshakes" },
      },
      maxPendingHandshakesPerAddress: {
        kind: number(1, 1_000_000),
        about: "those of one address, or of one /64 of IPv6",
        default: most.maxPendingHandshakesPerAddress,
        reload: "at once",
        flag: { name: "max-handshakes-per-address", section: "handshakes" },
      },
      maxWaitingHandshakes: {
        kind: number(0, 1_000_000),
        about: "connections that wait; more are closed",
        default: most.maxWaitingHandshakes,
        reload: "at once",
        flag: { name: "max-waiting", section: "handshakes" },
      },
      maxWaitingHandshakesPerAddress: {
        kind: number(0, 1_000_000),
        about: "those of one address",
        default: most.maxWaitingHandshakesPerAddress,
        reload: "at once",
        flag: { name: "max-waiting-per-address", section: "handshakes" },
      },
      handshakeWaitTimeout: {
        kind: milliseconds(1, 600_000),
        about: "time that one of them waits",
        default: most.handshakeWaitTimeout,
        reload: "new connections",
        flag: { name: "max-wait", section: "handshakes" },
      },
    },
  },
  webSocket: {
    title: "WebSocket",
    types: withWebSocket,
    homeless: (flag) => `--${flag} is about WebSocket: add --ws or --wss`,
    rows: {
      path: { kind: text, about: "the path of the WebSocket, such as /mqtt", otherwise: "any" },
      origins: {
        kind: list(origin, "origins (https://app.example.org)"),
        about: "pages of these may use WebSocket, * is any. Programs that are no browsers have none, and may",
        otherwise: "pages of the same origin",
        flag: { name: "origin", section: "listeners" },
      },
      hosts: {
        kind: list(text, "texts"),
        about:
          "host names that a listener on a loopback address is known by, beside localhost, its addresses and the hosts of `origins`",
      },
    },
  },
}
