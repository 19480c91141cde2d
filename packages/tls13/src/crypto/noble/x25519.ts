import { x25519 as noble } from "@noble/curves/ed25519.js"
import { NamedGroup } from "../../bytes/code-points.ts"
import { InvalidKeyShare, type KeyExchange } from "../provider.ts"

// X25519 (RFC 7748) of @noble/curves; RFC 9846 sections 4.3.8.2 and 7.4.2.
// Side channels: a BigInt ladder of fixed shape; the engine's BigInt arithmetic itself promises no constant time.

const LENGTH = 32

export const x25519: KeyExchange = {
  name: "x25519",
  code: NamedGroup.x25519,
  start(random) {
    const secret = random(LENGTH)
    return {
      share: publicValue(secret),
      complete: (serverShare) => sharedSecret(secret, serverShare),
      wipe: () => void secret.fill(0),
    }
  },
  respond(clientShare, random) {
    checkShare(clientShare)
    const secret = random(LENGTH)
    try {
      return { secret: sharedSecret(secret, clientShare), share: publicValue(secret) }
    } finally {
      secret.fill(0)
    }
  },
}

/** By the ladder from the base point 9: noble's base-point tables cost more than a handshake's one multiplication. */
function publicValue(secret: Uint8Array): Uint8Array {
  const basePoint = new Uint8Array(LENGTH)
  basePoint[0] = 9
  return noble.getSharedSecret(secret, basePoint)
}

function sharedSecret(secret: Uint8Array, share: Uint8Array): Uint8Array {
  checkShare(share)
  try {
    return noble.getSharedSecret(secret, share)
  } catch {
    // RFC 9846 7.4.2: an all-zero result MUST abort; noble refuses the points that lead to it.
    throw new InvalidKeyShare("the x25519 key share is a point of small order")
  }
}

function checkShare(share: Uint8Array): void {
  if (share.length !== LENGTH) throw new InvalidKeyShare(`an x25519 key share has 32 bytes, not ${share.length}`)
}
