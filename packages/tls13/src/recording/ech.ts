// Encrypted Client Hello (RFC 9849) as a client offers it: the offer is made anew, over key exchanges that go through the asker.

import { Misuse } from "../bytes/errors.ts"
import { encryptedClientHello } from "../codec/extensions/encrypted-client-hello.ts"
import {
  type GreaseOptions,
  greaseEncryptedClientHello,
  type OfferOptions,
  offerEncryptedClientHello,
} from "../ech/index.ts"
import type { EncryptedClientHello } from "../handshake/encrypted-client-hello.ts"
import type { HpkeProvider } from "../hpke/index.ts"
import type { Asker } from "./asker.ts"
import { absent, tapedGroup } from "./key-exchange.ts"

/** What an offer of `./ech` was made of. @throws Misuse for another */
export function echOptionsOf(ech: EncryptedClientHello): OfferOptions | GreaseOptions {
  if ("options" in ech) return ech.options as OfferOptions | GreaseOptions
  throw new Misuse("encryptedClientHello is none of ./ech: a connection with it cannot be recorded")
}

export function tapedEchOffer(ech: EncryptedClientHello, asker: Asker): EncryptedClientHello {
  const options = echOptionsOf(ech)
  const keyExchanges = options.provider.keyExchanges.map((group) => tapedGroup(group, asker, "ech."))
  const provider: HpkeProvider = { ...options.provider, keyExchanges }
  return echOffer({ ...options, provider })
}

function echOffer(options: OfferOptions | GreaseOptions): EncryptedClientHello {
  return "configs" in options ? offerEncryptedClientHello(options) : greaseEncryptedClientHello(options)
}

/** Stands for an offer in a configuration: what is made of it, by `tapedEchOffer`, asks the tape. */
export function echStandIn(options: OfferOptions | GreaseOptions): EncryptedClientHello {
  const standIn: EncryptedClientHello & { readonly options: typeof options } = {
    options,
    extensions: { encrypted_client_hello: encryptedClientHello },
    begin: absent,
  }
  return standIn
}
