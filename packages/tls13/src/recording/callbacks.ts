// A configuration whose callbacks go through an asker. Everything that is not a function of what the connection has read is
// asked: random bytes, key exchanges and signatures (a host's draw randomness of their own, and a private key may be outside),
// what a verifier says, and what stores, tickets, guards and policies answer. Hashes, AEADs and the key schedule are computed,
// in a replay too, and so are the peer's signatures.

import { copyOf } from "../bytes/copy.ts"
import { handshakeMessage } from "../codec/message.ts"
import type { ClientConfig, ServerConfig } from "../connection/config.ts"
import { draw } from "../crypto/draw.ts"
import type { CryptoProvider, KeyExchange, RandomSource, SignatureAlgorithm } from "../crypto/provider.ts"
import type { DecisionName } from "../handshake/coroutine.ts"
import type { OpenedEncryptedClientHello, TakesEncryptedClientHello } from "../handshake/encrypted-client-hello.ts"
import type { CertificateCompression, MessageRewriter } from "../handshake/options.ts"
import type { ClientSettings, CommonSettings } from "../handshake/settings.ts"
import type { PaddingPolicy } from "../record/padding.ts"
import type { CookieSealer, ReplayGuard, Ticketer } from "../session/session.ts"
import type {
  CertificateVerifier,
  Credential,
  CredentialChoice,
  CredentialResolver,
  Signer,
} from "../x509/interfaces.ts"
import { type Asker, asItIs, type Form } from "./asker.ts"
import { tapedEchOffer } from "./ech.ts"
import { absent, startedForm, tapedGroup } from "./key-exchange.ts"

/** @throws Misuse for an `encryptedClientHello` that is none of `./ech` */
export function tapedClient(config: ClientConfig, asker: Asker): ClientConfig {
  const { verifier, credentials, sessionStore, encryptedClientHello } = config
  const groups = new Map(config.provider.keyExchanges.map((group) => [group, tapedGroup(group, asker)]))
  const taped = (list: readonly KeyExchange[]) => list.map((group) => groups.get(group) ?? tapedGroup(group, asker))
  return {
    ...config,
    ...tapedCommon(config, asker),
    groups: taped(config.groups),
    keyShares: taped(config.keyShares),
    verifier: verifier && tapedVerifier(verifier, asker),
    credentials: credentials && tapedResolver(credentials, asker),
    sessionStore: sessionStore && tapedSessionStore(sessionStore, asker),
    encryptedClientHello: encryptedClientHello && tapedEchOffer(encryptedClientHello, asker),
  }
}

export function tapedServer(config: ServerConfig, asker: Asker): ServerConfig {
  const { credentials, ticketer, externalPsks, earlyData, statelessRetry, clientAuthentication } = config
  const { encryptedClientHello: ech } = config
  return {
    ...config,
    ...tapedCommon(config, asker),
    groups: config.groups.map((group) => tapedGroup(group, asker)),
    credentials: credentials && tapedResolver(credentials, asker),
    ticketer: ticketer && tapedTicketer(ticketer, asker),
    externalPsks: externalPsks && {
      lookup: (identity) => asker.ask("externalPsks.lookup", () => externalPsks.lookup(identity)),
    },
    clientAuthentication: clientAuthentication && {
      ...clientAuthentication,
      verifier: tapedVerifier(clientAuthentication.verifier, asker),
    },
    earlyData: earlyData && { ...earlyData, replayGuard: tapedGuard(earlyData.replayGuard, asker) },
    statelessRetry: statelessRetry && {
      cookies: tapedCookies(statelessRetry.cookies, asker),
      requireCookie: () => asker.ask("statelessRetry.requireCookie", statelessRetry.requireCookie) as boolean,
    },
    encryptedClientHello: ech && tapedEchKeys(ech, asker),
  }
}

function tapedCommon(
  { random, provider, padding, certificateCompression, rewriteMessage }: CommonSettings,
  asker: Asker,
) {
  const taped: RandomSource = (length) =>
    asker.ask("random", () => draw(random, length), {
      ...asItIs<Uint8Array>(),
      // It is the connection's to wipe: what is written is written before.
      live: (drawn) => drawn,
    }) as Uint8Array
  return {
    random: taped,
    provider: tapedProvider(provider, asker),
    padding: padding && tapedPadding(padding, asker),
    certificateCompression: certificateCompression.map((each) => tapedCompression(each, asker)),
    rewriteMessage: rewriteMessage && tapedRewriter(rewriteMessage, asker),
  }
}

/* ---------------------------------------------------------------- cryptography */

function tapedProvider(provider: CryptoProvider, asker: Asker): CryptoProvider {
  return { ...provider, signatures: provider.signatures.map((algorithm) => tapedSignature(algorithm, asker)) }
}

/** `verify` is a function of its arguments: a replay computes it, where it has the algorithm, and so finds what is wrong with it. */
function tapedSignature(algorithm: SignatureAlgorithm, asker: Asker): SignatureAlgorithm {
  const { verifyLater } = algorithm
  return {
    name: algorithm.name,
    sign: (...args) => algorithm.sign(...args),
    verify(...args) {
      const was = asker.ask("signature.verify", () => algorithm.verify(...args)) as boolean
      // That of a replay whose provider does not have the algorithm is absent.
      return asker.replays && algorithm.verify !== absent ? algorithm.verify(...args) : was
    },
    ...(verifyLater && {
      verifyLater: (...args: Parameters<typeof verifyLater>) =>
        asker.ask("signature.verifyLater", () => verifyLater.apply(algorithm, args)) as ReturnType<typeof verifyLater>,
    }),
  }
}

/* ---------------------------------------------------------------- certificates */

function tapedVerifier(verifier: CertificateVerifier, asker: Asker): CertificateVerifier {
  const { leafKey, asks } = verifier
  const delegatedSchemes = asks?.delegatedSchemes
  return {
    verify: (verification) => asker.ask("verifier.verify", () => verifier.verify(verification)),
    ...(leafKey && {
      leafKey: (verification: Parameters<typeof leafKey>[0]) =>
        asker.ask("verifier.leafKey", () => leafKey.call(verifier, verification)) as ReturnType<typeof leafKey>,
    }),
    ...(asks && {
      asks: {
        ...asks,
        ...(delegatedSchemes && {
          delegatedSchemes: (schemes: readonly number[]) =>
            asker.ask("verifier.delegatedSchemes", () => delegatedSchemes.call(asks, schemes)) as readonly number[],
        }),
      },
    }),
  }
}

function tapedResolver(resolver: CredentialResolver, asker: Asker): CredentialResolver {
  return {
    resolve: (request) => asker.ask("credentials.resolve", () => resolver.resolve(request), credentialForm(asker)),
  }
}

function credentialForm(asker: Asker): Form<CredentialChoice> {
  const live = (choice: CredentialChoice): CredentialChoice => {
    if (choice === undefined || choice === null || "none" in choice) return choice
    return { ...choice, signer: tapedSigner(choice.signer, asker) }
  }
  return {
    live,
    plain(choice) {
      if (choice === undefined || choice === null || "none" in choice) return choice
      // Nothing else of it: a signer, or an object that has one, may hold the key.
      const { signer, ...data } = choice
      const known = Object.entries(data).filter(([name, value]) => name in credentialData && value !== undefined)
      return { ...Object.fromEntries(known), signsFlights: signer.respondAndSign !== undefined }
    },
    revive(plain) {
      if (typeof plain !== "object" || plain === null || "none" in plain) return plain as CredentialChoice
      const { signsFlights, ...data } = plain as Credential & { readonly signsFlights: boolean }
      return live({ ...data, signer: { sign: absent, ...(signsFlights && { respondAndSign: absent }) } })
    },
  }
}

/** All that a credential has beside its signer, as the compiler sees. */
const credentialData: Readonly<Record<Exclude<keyof Credential, "signer">, true>> = {
  type: true,
  chain: true,
  publicKey: true,
  signatureSchemes: true,
  ocspResponse: true,
  signedCertificateTimestamps: true,
  delegated: true,
}

function tapedSigner(signer: Signer, asker: Asker): Signer {
  const { respondAndSign } = signer
  return {
    sign: (scheme, message, provider) => asker.ask("signer.sign", () => signer.sign(scheme, message, provider)),
    ...(respondAndSign && {
      respondAndSign: (...args: Parameters<typeof respondAndSign>) =>
        asker.ask("signer.respondAndSign", () => respondAndSign.apply(signer, args)) as ReturnType<
          typeof respondAndSign
        >,
    }),
  }
}

/** How the answer to a decision is written, which comes after a pause. */
export function formOf(decision: DecisionName, asker: Asker): Form<unknown> {
  if (decision === "SelectCertificate") return credentialForm(asker) as Form<unknown>
  if (decision === "StartKeyExchange") return startedForm(asker, "") as Form<unknown>
  return asItIs()
}

/* ---------------------------------------------------------------- sessions */

function tapedSessionStore(
  store: NonNullable<ClientSettings["sessionStore"]>,
  asker: Asker,
): NonNullable<ClientSettings["sessionStore"]> {
  return {
    take: (key, now) => asker.ask("sessionStore.take", () => store.take(key, now)) as ReturnType<typeof store.take>,
    put: (key, session) => asker.ask("sessionStore.put", () => store.put(key, session)) as undefined,
  }
}

function tapedTicketer(ticketer: Ticketer, asker: Asker): Ticketer {
  return {
    seal: (session, now) => asker.ask("ticketer.seal", () => ticketer.seal(session, now)) as Uint8Array | undefined,
    open: (ticket, now) => asker.ask("ticketer.open", () => ticketer.open(ticket, now)),
  }
}

function tapedGuard(guard: ReplayGuard, asker: Asker): ReplayGuard {
  return { take: (key, until, now) => asker.ask("replayGuard.take", () => guard.take(key, until, now)) }
}

function tapedCookies(cookies: CookieSealer, asker: Asker): CookieSealer {
  return {
    seal: (content, now) => asker.ask("cookies.seal", () => cookies.seal(content, now)) as Uint8Array,
    open: (cookie, now) =>
      asker.ask("cookies.open", () => cookies.open(cookie, now)) as ReturnType<typeof cookies.open>,
  }
}

/* ---------------------------------------------------------------- policies */

function tapedPadding(padding: PaddingPolicy, asker: Asker): PaddingPolicy {
  return (...args) => asker.ask("padding", () => padding(...args)) as number
}

function tapedCompression(algorithm: CertificateCompression, asker: Asker): CertificateCompression {
  return {
    code: algorithm.code,
    name: algorithm.name,
    compress: (message) => asker.ask("compression.compress", () => algorithm.compress(message)) as Uint8Array,
    decompress: (compressed, length) =>
      asker.ask("compression.decompress", () => algorithm.decompress(compressed, length)) as Uint8Array | undefined,
  }
}

function tapedRewriter(rewrite: MessageRewriter, asker: Asker): MessageRewriter {
  return (name, message) => asker.ask("rewriteMessage", () => rewrite(name, message)) as Uint8Array
}

/* ---------------------------------------------------------------- Encrypted Client Hello, the server's side */

/** What `read` came to: the message is that which was read, or another. */
interface EchRead {
  readonly inner: Uint8Array | undefined
  readonly verdict: OpenedEncryptedClientHello["verdict"]
  readonly retryConfigs: Uint8Array | undefined
}

/** The keys stay outside: what was decrypted is in the recording. */
function tapedEchKeys(keys: TakesEncryptedClientHello, asker: Asker): TakesEncryptedClientHello {
  return {
    begin(server) {
      const opened = asker.replays ? undefined : keys.begin(server)
      const of = <Answer>(what: string, work: (real: OpenedEncryptedClientHello) => Answer): Answer =>
        asker.ask(what, () => work(opened!)) as Answer
      let [verdict, retryConfigs]: [EchRead["verdict"], Uint8Array | undefined] = [undefined, undefined]
      const signal = (what: string, message: Uint8Array, work: (real: OpenedEncryptedClientHello) => void) => {
        message.set(
          of(what, (real) => {
            work(real)
            return copyOf(message)
          }),
        )
      }
      return {
        get verdict() {
          return verdict
        },
        get retryConfigs() {
          return retryConfigs
        },
        get retrySignal() {
          return of("ech.retrySignal", (real) => real.retrySignal)
        },
        read(message) {
          const read = of<EchRead>("ech.read", (real) => {
            const { bytes } = real.read(message)
            const { verdict, retryConfigs } = real
            return { inner: bytes === message.bytes ? undefined : bytes, verdict, retryConfigs }
          })
          verdict = read.verdict
          retryConfigs = read.retryConfigs
          const { inner } = read
          if (inner === undefined) return message
          // Before it is told: what a file has may be no bytes, which throws here.
          const hello = handshakeMessage(inner)
          if (asker.replays) {
            server.trace?.({ type: "inner-hello", direction: "received", message: inner })
            server.link.noteClientRandom(inner.subarray(6, 38))
          }
          return hello
        },
        confirmRetry: (message, transcript, hash) =>
          signal("ech.confirmRetry", message, (real) => real.confirmRetry(message, transcript, hash)),
        confirm: (message, transcript, hash) =>
          signal("ech.confirm", message, (real) => real.confirm(message, transcript, hash)),
      }
    },
  }
}
