// Which ECHConfig of a list a client takes, and with which cipher suite: RFC 9849 sections 4.2, 6.1 and 6.1.7.

import { nothing } from "../bytes/nothing.ts"
import { quotedText } from "../bytes/text.ts"
import { HpkeError, type HpkeProvider, HpkeSuite } from "../hpke/index.ts"
import type { EchConfig } from "./config.ts"
import { publicNameProblem } from "./public-name.ts"

/** A configuration that a client can use, and how. */
export interface EchChoice {
  readonly config: EchConfig
  readonly suite: HpkeSuite
}

/** The first that can be used; or why none can, a sentence for each. */
export function chooseEchConfig(
  configs: readonly EchConfig[],
  provider: HpkeProvider,
): EchChoice | { readonly problems: readonly string[] } {
  const problems: string[] = []
  for (const config of configs) {
    const judged = judge(config, provider)
    if (judged instanceof HpkeSuite) return { config, suite: judged }
    problems.push(`the one with config_id ${config.configId} ${judged}`)
  }
  return { problems }
}

function judge(config: EchConfig, provider: HpkeProvider): HpkeSuite | string {
  const { kem, publicName, cipherSuites, publicKey } = config
  const types = config.extensions.map(({ type }) => type)
  // Section 4.2: "there MUST NOT be more than one extension of the same type in the extensions block".
  if (new Set(types).size !== types.length) return "has an extension twice"
  // "If an unsupported mandatory extension is present, clients MUST ignore the `ECHConfig`": the high-order bit says mandatory.
  const mandatory = types.find((type) => type >= 0x8000)
  if (mandatory !== undefined) return `has the mandatory extension 0x${mandatory.toString(16)}, which is not known here`
  const problem = publicNameProblem(publicName)
  if (problem !== undefined) return `has the public name ${quotedText(publicName)}, which ${problem}`
  for (const { kdf, aead } of cipherSuites) {
    const suite = HpkeSuite.of(provider, { kem, kdf, aead })
    if (suite !== undefined) return isPublicKey(suite, publicKey) ? suite : "has a public key that is none of its KEM"
  }
  return "has no HPKE suite that the crypto provider has"
}

/** Whether something can be encrypted to it. */
function isPublicKey(suite: HpkeSuite, publicKey: Uint8Array): boolean {
  try {
    suite.setupBaseS(publicKey, nothing).context.wipe()
    return true
  } catch (error) {
    if (error instanceof HpkeError) return false
    throw error
  }
}
