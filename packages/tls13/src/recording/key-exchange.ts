// Key exchanges whose answers go through an asker: what a provider draws for them may be of its own source, so it is the answers
// that are recorded, shares and secrets.

import type { KeyExchange, KeyExchangeStarted } from "../crypto/provider.ts"
import type { Asker, Form } from "./asker.ts"

export function tapedGroup(group: KeyExchange, asker: Asker, prefix = ""): KeyExchange {
  return {
    name: group.name,
    code: group.code,
    start: (random) => asker.ask(`${prefix}keyExchange.start`, () => group.start(random), startedForm(asker, prefix)),
    respond: (share, random) => asker.ask(`${prefix}keyExchange.respond`, () => group.respond(share, random)),
  }
}

export function startedForm(asker: Asker, prefix: string): Form<KeyExchangeStarted> {
  const live = (started: KeyExchangeStarted): KeyExchangeStarted => ({
    share: started.share,
    complete: (serverShare) => asker.ask(`${prefix}keyExchange.complete`, () => started.complete(serverShare)),
    wipe: () => started.wipe(),
  })
  return {
    plain: ({ share }) => ({ share }),
    live,
    revive: (plain) => live({ ...(plain as { readonly share: Uint8Array }), complete: absent, wipe() {} }),
  }
}

/** Of a replay: what would be called is not there, and its answer is in the recording. */
export function absent(): never {
  throw new Error("a replay asks nobody")
}
