// Rows of a listener: what of TLS 1.3 it offers, and what it gives clients for the next time.

import { groups, isAdded, signatureSchemes, suites } from "../../listen/tls-choices.ts"
import { ConfigError, type TlsChoices } from "../config.ts"
import type { FileEch, FileTickets, StapleFile, TlsFiles } from "../file-config.ts"
import { group } from "./group.ts"
import { choiceOf, fileName, list, number, oneOf, refused, show } from "./kinds.ts"
import type { Kind, Need, Rows } from "./option.ts"

/** Threads make their provider by its name, and have no more than that. */
function byUs(option: "groups" | "signatureSchemes", words: string): Need {
  return {
    words: `\`workers\` 0, with ${words}`,
    met: (of) => {
      const [chosen, workers, provider] = [of(option), of("workers"), of("provider")]
      const added = Array.isArray(chosen) && chosen.some((each) => isAdded(each, provider))
      return !added || workers === undefined || workers === 0
    },
    inFile: (where, name) => `${where}.${name} has ${words}, which workers do not compute: leave ${where}.workers out`,
    onCommandLine: (flag) => `--${flag} has ${words}, which workers do not compute: leave out --tls-workers`,
  }
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

type Choices = TlsChoices & StapleFile & Pick<TlsFiles, "tickets" | "ech">

export const tlsChoiceRows: Rows<Choices> = {
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
      "groups of the key exchange, the preferred first. Those with ML-KEM are safe from a later quantum computer; but for X25519MLKEM768 with the providers `mixed` and `fast`, they are there when they are named, and need the package @noble/post-quantum. `x448`, those of ffdhe and of Brainpool are for clients that have nothing else: slower, and there when they are named",
    otherwise: "`X25519MLKEM768` (with the providers `mixed` and `fast`), `x25519` and `secp256r1`",
    needs: [byUs("groups", "a group that is there only when it is named")],
  },
  signatureSchemes: {
    kind: choiceOf(list(oneOf(...signatureSchemes), "signature schemes")),
    about:
      "signatures that clients may use, and that the server may, as far as its key can, the preferred first. `ed448` and those of Brainpool are there when they are named; those of ML-DSA too, and with a certificate or authorities of ML-DSA",
    otherwise: "all of the others",
    needs: [byUs("signatureSchemes", "a scheme that is there only when it is named")],
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
        otherwise:
          "keys of this broker's own, another each 12 hours; in a cluster those of all its nodes, another each hour",
        reload: "new connections",
      },
    }),
    about: "tickets, with which clients come again",
  },
  ech: {
    kind: group<FileEch>({
      keyFiles: {
        kind: choiceOf(list(fileName, "file names")),
        about:
          "keys as `tls13 ech-key PUBLIC-NAME --out FILE` writes them (RFC 9934), the best first: what they say is published in DNS, and told to clients that come with another. The certificate has to be for their public names, too",
        required: true,
        reload: "new connections",
      },
      oldKeyFiles: {
        kind: list(fileName, "file names"),
        about: "keys that are not published any more, and that clients may still have from DNS",
        reload: "new connections",
      },
    }),
    about: "Encrypted Client Hello: clients may hide the name that they ask for (RFC 9849)",
    more: "See [ech.md](ech.md#a-broker). To rotate: a new file goes to the front of `keyFiles`, the one before it to `oldKeyFiles` for as long as DNS says, and a reload takes both.",
  },
  earlyData: {
    kind: no,
    about: "0-RTT: there is none, as whoever records it can send it again",
    default: false,
  },
}
