// An access control list of a file: of our own form (acl.ts), or of Mosquitto's (mosquitto-acl.ts). Its first rule says which, and
// a file has one of both.

import { type AccessList, Acl, AclError, isOwnRule } from "./acl.ts"
import { finish, lineByLine, type Steps } from "./lines.ts"
import { isMosquittoLine, MosquittoAcl } from "./mosquitto-acl.ts"

/** Throws AclError. */
export function readAclFile(text: string): AccessList {
  return finish(readingAclFile(text))
}

/** The same, step by step. */
export function* readingAclFile(text: string): Steps<AccessList> {
  let list: Acl | MosquittoAcl | undefined
  let first = 0
  yield* lineByLine(text, (raw, number) => {
    const line = raw.trim()
    if (line === "" || line.startsWith("#")) return
    if (list === undefined) {
      list = isMosquittoLine(line) ? new MosquittoAcl() : new Acl([])
      first = number
    } else if (list instanceof Acl ? isMosquittoLine(line) : isOwnRule(line)) {
      const [here, there] = list instanceof Acl ? ["Mosquitto's", "our own"] : ["our own", "Mosquitto's"]
      throw new AclError(number, `this is of ${here} form, and line ${first} of ${there}: keep to one in a file`)
    }
    list.addLine(line, number)
  })
  return list ?? new Acl([])
}
