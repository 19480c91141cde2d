// An Authentication Method for the table: the client says its name, is asked "question", and has to say "answer"; then it is
// told "welcome".

import type { Access, Step } from "../../src/ports/access.ts"
import { openAccess } from "../open-access.ts"
import { utf8 } from "./bytes.ts"

const bytes = (text: string) => Uint8Array.from(utf8(text))

export const threeStepsAccess: Access = {
  ...openAccess,
  exchange(method) {
    if (method !== "THREE-STEPS") return undefined
    let name: string | undefined
    const step = (data: string): Step => {
      if (name === undefined && data !== "") {
        name = data
        return { goesOn: true, data: bytes("question") }
      }
      if (name !== undefined && data === "answer") {
        const decision = { identity: { user: name, source: "password" } } as const
        return { goesOn: false, decision, data: bytes("welcome") }
      }
      return { goesOn: false, decision: { reasonCode: 0x86, why: "a wrong answer" }, data: undefined }
    }
    return { next: (data, answer) => answer(step(new TextDecoder().decode(data))) }
  },
}
