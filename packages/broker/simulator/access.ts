// Who may connect: everybody, as the user of that name. Some logins are decided later.

import type { Access } from "../src/ports/access.ts"
import { openAccess } from "../tests/open-access.ts"

/** @param late whether a login takes its time: then it is given what decides it */
export function simulatedAccess(late: (decide: () => void) => boolean): Access {
  return {
    ...openAccess,
    authenticate({ username = "" }, decide) {
      const yes = () => decide({ identity: { user: username, source: "password" } })
      if (!late(yes)) yes()
    },
  }
}
