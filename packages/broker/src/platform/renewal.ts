// Other certificates for the listeners of a running broker, and what becomes of clients whose own would be refused now.

import { type RereadCertificates, rereadCertificates } from "../config/changes.ts"
import { ConfigError } from "../config/config.ts"
import { counted } from "../config/reread.ts"
import type { Broker } from "../hub/broker.ts"
import type { Listener, RenewedCertificate } from "../listen/listener.ts"
import { ReasonCode } from "../packet/reason-codes.ts"

export interface Renewal {
  readonly renew: NonNullable<Listener["renew"]>
  readonly given: RenewedCertificate
}

/** All or none. Throws ConfigError. */
export function renewAll(each: readonly Renewal[]): readonly RereadCertificates[] {
  const done: (() => void)[] = []
  try {
    return each.map(({ renew, given }) => {
      const before = renew(given)
      done.push(() => renew(before))
      return rereadCertificates(before, { ...before, ...given })
    })
  } catch (error) {
    for (const undo of done) undo()
    throw new ConfigError(`cannot use the certificates: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Whether clients' certificates may be refused now that were not. */
export function judgesAnew(all: readonly RereadCertificates[]): boolean {
  return all.some(({ ca, crl }) => ca?.changed === true || crl?.changed === true)
}

export interface RecheckMeans {
  readonly broker: Pick<Broker, "clients">
  readonly now: () => number
  /** The boundary around what timers call. */
  readonly attempt: (work: () => void) => void
  readonly nextTurn: (work: () => void) => void
  /** Gets a sentence, if somebody was disconnected. */
  readonly tell: (text: string) => void
}

/** Milliseconds of one turn. */
const shareOfTurn = 5

/** Ends connections whose client certificate would be refused now; some at a time, so that nobody waits for it. */
export function recheckCertificates({ broker, now, attempt, nextTurn, tell }: RecheckMeans): void {
  const clients = broker.clients()
  let disconnected = 0
  const some = () => {
    const until = performance.now() + shareOfTurn
    for (let client = clients.pop(); client !== undefined; client = clients.pop()) {
      const { peer, phase } = client
      let problem: string | undefined = "it cannot be checked"
      attempt(() => {
        problem = phase === "closed" ? undefined : peer.recheckCertificate?.(Date.now())
      })
      if (problem !== undefined) {
        disconnected++
        client.disconnect(now(), ReasonCode.NotAuthorized, `its certificate is no longer good: ${problem}`)
      }
      if (performance.now() < until) continue
      nextTurn(() => attempt(some))
      return
    }
    if (disconnected > 0) tell(`${counted(disconnected, "client")} disconnected whose certificates are no longer good`)
  }
  attempt(some)
}
