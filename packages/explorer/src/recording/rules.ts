// Which rules a certificate path was held to, and what each said: the build puts `ruled` around every function of the path validation
// that gives a problem or none.

import type { X509Error } from "@puremq/tls13/x509"
import { type Noticed, noticedAt } from "./noticed.ts"

export interface Judged {
  /** The function's name, such as `leafProblem`. */
  readonly rule: string
  /** `x509/path/path-rules.ts`. */
  readonly file: string
  readonly line: number
  /** DER of the certificate that it was asked about; undefined when it was none. */
  readonly certificate: Uint8Array | undefined
  /** undefined: nothing is wrong. */
  readonly problem: X509Error | undefined
  /** The line that found it: of this function, or of one that it asked. */
  readonly noticed: Noticed | undefined
}

class Judgements {
  #judged: Judged[] | undefined

  ruled<Rule extends (...args: never[]) => X509Error | undefined>(rule: string, site: string, judge: Rule): Rule {
    const [file = "", line = "0"] = site.split(":")
    return ((...args: never[]) => {
      const problem = judge(...args)
      const noticed = problem && noticedAt(problem)
      this.#judged?.push({ rule, file, line: Number(line), certificate: derOf(args[0]), problem, noticed })
      return problem
    }) as Rule
  }

  /** What was judged while `work` ran, in the order in which the rules came to an end. */
  during(work: () => void): readonly Judged[] {
    const before = this.#judged
    const judged: Judged[] = []
    this.#judged = judged
    try {
      work()
    } finally {
      this.#judged = before
    }
    return judged
  }
}

function derOf(given: unknown): Uint8Array | undefined {
  const der = typeof given === "object" && given !== null && "der" in given ? given.der : undefined
  return der instanceof Uint8Array ? der : undefined
}

const judgements: Judgements = new Judgements()

export function ruled<Rule extends (...args: never[]) => X509Error | undefined>(
  rule: string,
  site: string,
  judge: Rule,
): Rule {
  return judgements.ruled(rule, site, judge)
}

export function judgedDuring(work: () => void): readonly Judged[] {
  return judgements.during(work)
}
