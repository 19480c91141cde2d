// The broker of the inside-out test, as a program of its own: whether it lives is seen from outside. Its parent arms one
// function after the other and asks how it went.

import "./trap.ts"
import { connect } from "../../../tls13/src/adapters/node/index.ts"
import { tokenLine } from "../../src/admin/tokens.ts"
import { createBroker } from "../../src/index.ts"
import { arm, disarm, record, recorded } from "./trap.ts"

export interface Setup {
  readonly cert: string
  readonly key: string
  readonly ca: string
  readonly passwords: string
  readonly acl: string
  /** Keys of tokens, and the URL of a server that is asked. */
  readonly jwks: string
  readonly hook: string
}

export type Order =
  | { readonly order: "start"; readonly setup: Setup }
  | { readonly order: "arm"; readonly id: string }
  | { readonly order: "record" }
  | { readonly order: "recorded" }
  | { readonly order: "state" }
  | { readonly order: "dial"; readonly port: number }

export interface State {
  /** Whether the armed function threw. */
  readonly sprung: boolean
  /** Open connections, before and after CONNECT. */
  readonly connections: number
  /** Connections whose CONNECT was accepted and that are still there. */
  readonly connected: number
  readonly faults: number
  /** Lines that the log would have since the last time, as JSON. */
  readonly events: readonly string[]
}

const tokens = tokenLine("operator", "operate", "puremq_inside_out")

let ca = ""
let events: string[] = []
let broker: ReturnType<typeof createBroker> | undefined

async function obey(given: Order): Promise<unknown> {
  switch (given.order) {
    case "start": {
      const { cert, key, passwords, acl, jwks, hook } = given.setup
      ca = given.setup.ca
      const tls = { cert, key, port: 0 }
      broker = createBroker({
        listeners: [
          { type: "tcp", port: 0 },
          { type: "tls", ...tls, ca, clientCertificate: "request" },
          { type: "ws", port: 0 },
          { type: "wss", ...tls },
          { type: "tls", ...tls, proxyProtocol: { trusted: ["127.0.0.0/8"] } },
        ],
        login: {
          ...{ order: ["certificate", "jwt", "http", "password"], passwords },
          ...{ jwt: { jwks }, http: { url: hook, timeout: 2000 } },
        },
        acl,
        sysInterval: 1,
        admin: { port: 0, tokens },
        onEvent: (event) => events.push(JSON.stringify(event)),
      })
      return broker.listen()
    }
    case "arm":
      events = []
      return arm(given.id)
    case "record":
      return record()
    case "recorded":
      return recorded()
    case "state":
      return state()
    case "dial":
      // What the call itself throws is thrown at the application, and that is one way to be told.
      return dial(given.port).catch((error: unknown) => {
        events.push(String(error))
        return false
      })
  }
}

function state(): State {
  const sprung = disarm()
  const { connections, clientsConnected, faults } = broker!.stats()
  return { sprung, connections, connected: clientsConnected, faults, events }
}

/** A client of ours, as an application uses it: true when its echo came back. */
function dial(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "localhost", port, ca, ALPNProtocols: ["mqtt"] })
    const told = (error: Error) => events.push(String(error))
    try {
      socket.on("error", told)
      socket.setTimeout(2000, () => socket.destroy())
      socket.on("secureConnect", () => socket.write("hello"))
      socket.on("data", () => socket.end())
      socket.on("end", () => resolve(true))
      socket.on("internalError", told)
      socket.on("close", () => resolve(false))
    } catch (error) {
      // Else it would go on without a listener, into the next function's turn.
      socket.destroy()
      throw error
    }
  })
}

process.on("message", (given: { number: number } & Order) => {
  obey(given).then(
    (answer) => process.send?.({ number: given.number, answer }),
    (error) => process.send?.({ number: given.number, failure: String(error) }),
  )
})
process.on("disconnect", () => process.exit(0))
