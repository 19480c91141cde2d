// What was agreed, in words: a few lines for a person.

import { pinText } from "../adapters/node/handshake-report.ts"
import { printable } from "../adapters/node/options.ts"
import { chooseProvider } from "../adapters/node/provider.ts"
import type { TLSSocket } from "../adapters/node/tls-socket.ts"
import { toHex } from "../bytes/hex.ts"
import { quotedText, visibleText } from "../bytes/text.ts"
import type { HandshakeInfo } from "../handshake/info.ts"
import { subjectText } from "../x509/certificate/certificate.ts"
import { timeText } from "../x509/der/time.ts"

/** Lines without a line end; `peer` is "server" or "client". */
export function summary(socket: TLSSocket, peer: "server" | "client"): string[] {
  const { info } = socket
  if (info === undefined) return ["no handshake"]
  const lines = [
    `protocol     ${info.protocol}${info.resumed ? ", session resumed" : ""}${info.helloRetryRequest ? ", after a HelloRetryRequest" : ""}`,
    `cipher suite ${info.cipherSuite}`,
    `key exchange ${info.group ?? "none: the pre-shared key alone, without forward secrecy"}`,
  ]
  if (info.serverName !== undefined) lines.push(`server name  ${visibleText(info.serverName)}`)
  lines.push(`ALPN         ${info.alpnProtocol === undefined ? "none" : quotedText(info.alpnProtocol)}`)
  if (info.encryptedClientHello !== "not offered") lines.push(`hello        encrypted, ${info.encryptedClientHello}`)
  if (info.delegated) lines.push("shown        a delegated credential of ours")
  if (info.earlyData !== "not offered") lines.push(`early data   ${info.earlyData}`)
  return [...lines, ...peerLines(socket, peer)]
}

function byWhom({ peer }: HandshakeInfo): string {
  const delegated = peer?.delegatedCredential
  return delegated ? `, by a delegated credential that is valid until ${timeText(delegated.validUntil)}` : ""
}

function peerLines(socket: TLSSocket, peer: "server" | "client"): string[] {
  const { info, authorizationError } = socket
  if (info === undefined) return []
  if (info.pskIdentity !== undefined)
    return [`${peer.padEnd(12)} has the pre-shared key ${printable(info.pskIdentity)}`]
  if (info.peerCertificateType === "RawPublicKey" && info.peerChain[0]) {
    const key = pinText(info.peerChain[0], chooseProvider()) ?? toHex(info.peerChain[0])
    return [`${peer.padEnd(12)} raw public key ${key}`, `verified     ${socket.authorized ? "yes" : "NO"}`]
  }
  const leaf = socket.getPeerX509Chain()[0]
  const verified = `verified     ${socket.authorized ? "yes" : `NO: ${authorizationError?.message ?? "not asked for"}`}`
  if (leaf === undefined) {
    const shown = info.peerChain.length > 0
    const what = `${peer.padEnd(12)} showed ${shown ? "a certificate that cannot be read" : "no certificate"}`
    return shown ? [what, verified] : [what]
  }
  return [
    `${peer.padEnd(12)} ${subjectText(leaf)}, valid until ${timeText(leaf.notAfter)}`,
    ...(info.peerSignatureScheme ? [`signature    ${info.peerSignatureScheme}${byWhom(info)}`] : []),
    verified,
  ]
}
