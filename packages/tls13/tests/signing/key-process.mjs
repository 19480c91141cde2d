// A process that holds a private key: it says its public key once, and signs what it is asked to.

import { generateKeyPairSync, sign } from "node:crypto"

const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" })

process.on("message", ({ id, content }) => {
  process.send({ id, signature: sign("sha256", content, privateKey) })
})
process.send({ spki: publicKey.export({ type: "spki", format: "der" }) })
