// Options by names that ./node does not know them by: those of older versions, and of the core. node:tls ignores what it does
// not know, and so do we, as agents and clients hand over the options of everybody. But of these we know what was meant.

import { Misuse } from "../../bytes/errors.ts"

/** By each name the one that it has here, or `core` for what is given in there. `option-names.test.ts` knows when one is missing. */
export const placesInConnect = {
  psks: "externalPsks",
  alpnProtocols: "ALPNProtocols",
  cipherSuites: "ciphers",
  groups: "ecdhCurve",
  signatureSchemes: "sigalgs",
  certificateTypes: "core",
  maxFragment: "core",
  random: "core",
  serverName: "servername",
  sendServerName: "core",
  sessionKey: "core",
  requestOcspResponse: "requestOCSP",
  requestSignedCertificateTimestamps: "core",
  authorities: "core",
  postHandshakeAuth: "core",
  ticketRequest: "core",
  permuteExtensions: "core",
  encryptedClientHello: "core",
  middleboxCompatibility: "core",
  reverifyOnResumption: "core",
} as const

export const placesInCreateServer = {
  psks: "externalPsks",
  alpnProtocols: "ALPNProtocols",
  cipherSuites: "ciphers",
  groups: "ecdhCurve",
  signatureSchemes: "sigalgs",
  certificateTypes: "core",
  maxFragment: "core",
  random: "core",
  clientAuthentication: "requestCert",
  ticketLifetime: "sessionTimeout",
  ticketer: "core",
  ticketsOnRequest: "core",
  statelessRetry: "core",
  encryptedClientHello: "core",
} as const

/** @throws Misuse that names the right one */
export function refuseMisplaced(what: "connect" | "createServer", options: object): void {
  const given: Readonly<Record<string, unknown>> = { ...options }
  for (const [name, place] of Object.entries(what === "connect" ? placesInConnect : placesInCreateServer)) {
    if (given[name] === undefined) continue
    const hint = place === "core" ? `give it as \`core: { ${name} }\`` : `did you mean \`${place}\`?`
    throw new Misuse(`\`${name}\` is no option of ${what}: ${hint}`)
  }
}
