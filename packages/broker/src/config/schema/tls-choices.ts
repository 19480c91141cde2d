// Rows of a listener: what of TLS 1.3 it offers, and what it gives clients for the next time.

import { groups, isPostQuantum, signatureSchemes, suites } from "../../listen/tls-choices.ts"
import { ConfigError, type TlsChoices } from "../config.ts"
import type { FileTickets, StapleFile } from "../file-config.ts"
import { group } from "./group.ts"
import { choiceOf, fileName, list, number, oneOf, refused, show } from "./kinds.ts"
import type { Kind, Need, Rows } from "./option.ts"

const byUs: Need = {
  words: "`workers` 0, with a group of ML-KEM",
  met: (of) => {
    const [chosen, workers] = [of("groups"), of("workers")]
    return !(Array.isArray(chosen) && chosen.some(isPostQuantum)) || workers === undefined || workers === 0
  },
  inFile: (where, name) =>
    `${where}.${name} has a group of ML-KEM, which workers do not compute: leave ${where}.workers out`,
  onCommandLine: (flag) => `--${flag} has a group of ML-KEM, which workers do not compute: leave out --tls-workers`,
}

/** The only version that there is, so that whoever limits versions by name may. */
const version: Kind<"TLSv1.3"> = {
  words: "TLSv1.3",
  placeholder: "VERSION",
  choices: ["TLSv1.3"],
  schema: { const: "TLSv1.3" },
  check: (value, where) => {
    if (value === "TLSv1.3") return value
    if (/^(tls)?[-_ ]?v?1\.3$/i.test(`${value}`)) throw refused(where, "TLSv1.3", value, 'write "TLSv1.3"')
    if (/ssl|tls|1\.[0-2]/i.test(`${value}`))
      throw new ConfigError(
        `${where} must be TLSv1.3, not ${show(value)}: nothing older is spoken here, as one version is small enough to read and to test; leave it out, and put a proxy in front for clients that have nothing else`,
        where,
      )
    throw refused(where, "TLSv1.3", value)
  },
  read: (value, where) => version.check(value, where),
}

/** Named to say that there is none. */
const no: Kind<false> = {
  words: "false",
  schema: { const: false },
  check: (value, where) => {
    if (value === false) return false
    throw new ConfigError(
      `${where} must be false, not ${show(value)}: whoever records early data can send it again, and a PUBLISH in it would come twice`,
      where,
    )
  },
  read: (value, where) => no.check(value === "false" ? false : value, where),
}

export const tlsChoiceRows: Rows<TlsChoices & StapleFile & { readonly tickets?: FileTickets | undefined }> = {
  versions: {
    kind: list(version, "versions"),
    about: "versions of TLS, for whoever wants to read it here: there is one",
    default: ["TLSv1.3"],
  },
  suites: {
    kind: choiceOf(list(oneOf(...suites), "cipher suites")),
    about: "cipher suites, the preferred first",
    otherwise: "all of them, ChaCha20-Poly1305 first unless the provider has AES in hardware",
  },
  groups: {
    kind: choiceOf(list(oneOf(...groups), "groups")),
    about:
      "groups of the key exchange, the preferred first. Those with ML-KEM are safe from a later quantum computer, and are there when they are named; the package @noble/post-quantum has to be installed for the provider `noble`",
    otherwise: "`x25519` and `secp256r1`",
    needs: [byUs],
  },
  signatureSchemes: {
    kind: choiceOf(list(oneOf(...signatureSchemes), "signature schemes")),
    about: "signatures that clients may use, and that the server may, as far as its key can, the preferred first",
    otherwise: "all of them",
  },
  ocspFile: {
    kind: fileName,
    about:
      "an OCSP response (DER) that is stapled to the certificate. Whoever renews it writes the file; one that is too old is left out, with a warning",
    reload: "new connections",
  },
  tickets: {
    kind: group<FileTickets>({
      count: {
        kind: number(0, 16),
        about: "tickets for a client that has connected, with which the next handshake is short; 0: none",
        default: 2,
      },
      lifetime: { kind: number(1, 604_800, "seconds"), about: "time that one is good for", default: 7200 },
      keysFile: {
        kind: fileName,
        about:
          "keys that tickets are sealed with, for all servers of one name: 48 random bytes (openssl rand 48), or 96 or 144, of which the first 48 seal and the others still open. Who has it can read and forge tickets",
        more: "To rotate: `(openssl rand 48; head -c 48 tickets.key) > new && mv new tickets.key`, on each server, and reload.",
        otherwise: "keys of this broker's own, another each 12 hours",
        reload: "new connections",
      },
    }),
    about: "tickets, with which clients come again",
  },
  earlyData: {
    kind: no,
    about: "0-RTT: there is none, as whoever records it can send it again",
    default: false,
  },
}
