// Which certificate a server shows: by SNICallback, by the contexts that were added, else the server's own.

import { Pause } from "../../bytes/pause.ts"
import { sniResolver } from "../../x509/certificate/credential.ts"
import type { CredentialChoice, CredentialRequest, CredentialResolver } from "../../x509/interfaces.ts"
import { SecureContext } from "./secure-context.ts"

/** As in node:tls: calls back with a context, or with none for the server's own. May also return a promise. */
export type SNICallback = (
  servername: string,
  callback: (error: Error | null, context?: SecureContext | null) => void,
) => unknown

interface NamedContext {
  readonly pattern: RegExp
  readonly resolver: CredentialResolver
}

export class ServerCredentials implements CredentialResolver {
  readonly #sniCallback: SNICallback | undefined
  readonly #named: NamedContext[] = []
  readonly #checkContext: (context: SecureContext) => void
  #own: CredentialResolver

  /** @param checkContext throws for a context of `sniCallback` that the server cannot use */
  constructor(
    own: CredentialResolver,
    sniCallback: SNICallback | undefined,
    checkContext: (context: SecureContext) => void,
  ) {
    this.#own = own
    this.#sniCallback = sniCallback
    this.#checkContext = checkContext
  }

  /** What is shown when no name decides otherwise. */
  replace(own: CredentialResolver): void {
    this.#own = own
  }

  /** @param hostname `*` stands for one label or a part of one */
  add(hostname: string, context: SecureContext): void {
    const pattern = hostname
      .toLowerCase()
      .replace(/[.+?^${}()|[\]\\]/g, "\\$&")
      .replaceAll("*", "[^.]*")
    // The last one added decides.
    this.#named.unshift({ pattern: new RegExp(`^${pattern}$`), resolver: sniResolver(context.credentials) })
  }

  resolve(request: CredentialRequest): CredentialChoice | Pause<CredentialChoice> {
    const name = request.serverName
    if (name === undefined || this.#sniCallback === undefined) return this.#byName(request)
    return new Pause(
      askCallback(this.#sniCallback, name).then(async (context) => {
        if (!context) return settled(this.#byName(request))
        this.#checkContext(context)
        return settled(sniResolver(context.credentials).resolve(request))
      }),
    )
  }

  #byName(request: CredentialRequest): CredentialChoice | Pause<CredentialChoice> {
    const name = request.serverName?.toLowerCase()
    const named = name === undefined ? undefined : this.#named.find(({ pattern }) => pattern.test(name))
    return (named?.resolver ?? this.#own).resolve(request)
  }
}

async function settled(answer: CredentialChoice | Pause<CredentialChoice>): Promise<CredentialChoice> {
  return answer instanceof Pause ? answer.work : answer
}

function askCallback(callback: SNICallback, name: string): Promise<SecureContext | null | undefined> {
  return new Promise((resolve, reject) => {
    const result = callback(name, (error, context) => (error ? reject(error) : resolve(context)))
    if (result instanceof Promise) result.then((context) => resolve(isContext(context) ? context : null), reject)
  })
}

function isContext(value: unknown): value is SecureContext {
  return value instanceof SecureContext
}
