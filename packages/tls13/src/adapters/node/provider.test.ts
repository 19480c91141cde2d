import { expect, it } from "vitest"
import { connect } from "./connect.ts"
import { createServer } from "./server.ts"

it.each(["fsat", "constructor"])(
  "a provider that there is none of is a Misuse which names those that there are: %s",
  (name) => {
    const provider = name as "fast"
    const wanted = `there is no provider "${name}": name one of fast, noble, host, mixed, or give a provider`
    expect(() => createServer({ provider })).toThrow(expect.objectContaining({ kind: "Misuse", message: wanted }))
    expect(() => connect({ port: 1, provider })).toThrow(expect.objectContaining({ kind: "Misuse", message: wanted }))
  },
)
