// A HelloRetryRequest without state: RFC 9846 section 4.3.2. All that the server would have to remember of the first
// ClientHello is in the cookie, sealed: its hash (section 4.1), what was chosen, and a digest of what may not change.
// The ClientHello that brings the cookie back may come to any server that has the same keys.

import { equalBytes } from "../../bytes/equal.ts"
import { PeerIncompatible, PeerMisbehaved } from "../../bytes/errors.ts"
import { atOnce } from "../../bytes/pause.ts"
import { Reader } from "../../bytes/reader.ts"
import { Writer } from "../../bytes/writer.ts"
import type { ClientHello } from "../../codec/client-hello.ts"
import type { CipherSuiteAlgorithms, Hash } from "../../crypto/provider.ts"
import { Transcript } from "../../schedule/transcript.ts"
import type { ClientHelloRead } from "./client-hello.ts"
import { skippedEarlyData } from "./early-data.ts"
import { changeable, changed, hasPlace, helloRetryRequest, rawExtensions, type ServerRetry } from "./hello-retry.ts"
import { chooseGroup, commonSuites } from "./preferences.ts"
import { pskModes } from "./psk-selection.ts"
import type { ServerHandshake } from "./server.ts"

/** A cookie of another form, of another version of this code say, is refused. */
const format = 2
/** Stands for: the first ClientHello had a share that fits, so its key_share may not change. */
const noGroup = 0

/**
 * Answers a first ClientHello with a HelloRetryRequest when it lacks a share that fits, or when a cookie is asked of
 * everybody; nothing of it is kept, and nothing is looked up for it. False when the handshake can go on.
 */
export function retryStatelessly(server: ServerHandshake, { hello, bytes }: ClientHelloRead): boolean {
  const { link, settings } = server
  if (settings.statelessRetry === undefined) return false
  const { cookies, requireCookie } = settings.statelessRetry
  const suite = likelySuite(hello, commonSuites(hello, settings))
  const choice = chooseGroup(hello, settings)
  const modes = pskModes(hello, settings)
  // Whether a PSK will do without a key exchange is not known yet; it may, so no share is asked for.
  const group = choice?.clientShare !== undefined || (modes.pskOnly && !modes.dhe) ? undefined : choice?.group
  if (group === undefined && !atOnce("requireCookie", requireCookie())) return false
  link.atRecordBoundary()
  const content = encodeContent({
    suite: suite.code,
    group: group?.code ?? noGroup,
    offersEarlyData: hello.extensions.early_data === true,
    helloHash: suite.hash.digest(bytes),
    digest: fixedDigest(suite.hash, hello, bytes, group !== undefined),
  })
  const cookie = atOnce("cookies.seal", cookies.seal(content, link.now))
  link.send("hello_retry_request", helloRetryRequest(hello, suite, group, cookie))
  // Appendix E.4: the server sends it "immediately after its first handshake message".
  if (hello.legacySessionId.length > 0) link.sendChangeCipherSpec()
  if (hello.extensions.early_data) link.skipEarlyData(skippedEarlyData("application_data", settings))
  return true
}

/**
 * What the cookie of a second ClientHello says of the first; undefined when this one may be the first, and has none.
 * @throws PeerMisbehaved illegal_parameter for a cookie that we did not make, or that is too old
 */
export function readCookie(
  { link, settings }: ServerHandshake,
  { hello, bytes }: ClientHelloRead,
  which: "may be the first" | "is the second",
): ServerRetry | undefined {
  const { cookie } = hello.extensions
  if (settings.statelessRetry === undefined) return undefined
  if (cookie === undefined) {
    if (which === "is the second") throw changed("cookie")
    return undefined
  }
  // No alert is named for it; "a field in the handshake was incorrect or inconsistent with other fields" (section 6.2).
  const wrong = (why: string) => new PeerMisbehaved("illegal_parameter", `cookie of the second ClientHello ${why}`)
  const content = atOnce("cookies.open", settings.statelessRetry.cookies.open(cookie, link.now)) ?? undefined
  if (content === "expired") throw wrong("is too old; the client took too long to answer the HelloRetryRequest")
  if (content === undefined || content[0] !== format) throw wrong("was not made with a key that this server has")
  const { suite: suiteCode, group: groupCode, offersEarlyData, helloHash, digest } = decodeContent(content)
  const suite = settings.cipherSuites.find(({ code }) => code === suiteCode)
  const group = settings.groups.find(({ code }) => code === groupCode)
  if (suite === undefined || (group === undefined && groupCode !== noGroup)) {
    throw new PeerIncompatible("handshake_failure", "another server chose a suite or group that this one has not")
  }
  if (!equalBytes(digest, fixedDigest(suite.hash, hello, bytes, group !== undefined))) {
    throw new PeerMisbehaved(
      "illegal_parameter",
      "second ClientHello changes a field that it may not (RFC 9846 section 4.2.2)",
    )
  }
  const transcript = Transcript.afterHelloRetryRequestFromHash(suite.hash, helloHash)
  transcript.add(helloRetryRequest(hello, suite, group, cookie))
  return {
    first: undefined,
    suite,
    group,
    offersEarlyData,
    cookie,
    chosenPsk: undefined,
    opened: undefined,
    transcript,
  }
}

/** A PSK goes with a hash, which the length of its binder tells before the PSK is looked up. */
function likelySuite(hello: ClientHello, common: readonly CipherSuiteAlgorithms[]): CipherSuiteAlgorithms {
  const binder = hello.extensions.pre_shared_key?.binders[0]
  return common.find(({ hash }) => hash.length === binder?.length) ?? common[0]!
}

/** A digest of what the second ClientHello may not change (section 4.2.2): all but some extensions. */
function fixedDigest(hash: Hash, hello: ClientHello, bytes: Uint8Array, newShare: boolean): Uint8Array {
  const writer = new Writer(bytes.length).bytes(hello.random).vector8(hello.legacySessionId)
  for (const suite of hello.cipherSuites) writer.uint16(suite)
  const extensions = [...rawExtensions(bytes)].filter(([type]) => !changeable(type, newShare))
  const placed = extensions.filter(([type]) => hasPlace(type))
  for (const [type, data] of [...placed, ...extensions.filter(([type]) => !hasPlace(type))])
    writer.uint16(type).vector16(data)
  return hash.digest(writer.finish())
}

/* ---------------------------------------------------------------- what is in the cookie */

interface CookieContent {
  readonly suite: number
  readonly group: number
  readonly offersEarlyData: boolean
  /** Hash(ClientHello1) */
  readonly helloHash: Uint8Array
  readonly digest: Uint8Array
}

function encodeContent({ suite, group, offersEarlyData, helloHash, digest }: CookieContent): Uint8Array {
  const writer = new Writer(128)
    .uint8(format)
    .uint16(suite)
    .uint16(group)
    .uint8(offersEarlyData ? 1 : 0)
  return writer.vector8(helloHash).vector8(digest).finish()
}

function decodeContent(content: Uint8Array): CookieContent {
  const reader = new Reader(content.subarray(1), "cookie")
  return {
    suite: reader.uint16(),
    group: reader.uint16(),
    offersEarlyData: reader.uint8() === 1,
    helloHash: reader.vector8("hash"),
    digest: reader.vector8("digest"),
  }
}
