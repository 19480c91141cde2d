// The admin API as a function from requests to answers: who asks, may he, is the input what it has to be, what comes of it.

import { Hono } from "hono"
import { repeatedMember } from "../../packet/repeated-member.ts"
import { findToken, isAmong, longestToken, type Token } from "../tokens.ts"
import { Attempts } from "./attempts.ts"
import { documentPath, openApiDocument, parameterTypes } from "./openapi.ts"
import type { AdminParts, Asking } from "./parts.ts"
import { jsonText, problemText, Refused } from "./problem.ts"
import { type Answer, base, type Prepared, type Route, reading } from "./route.ts"
import { aboutRoutes } from "./routes/about.ts"
import { happenedRoutes } from "./routes/happened.ts"
import { listRoutes } from "./routes/lists.ts"
import { operationRoutes } from "./routes/operations.ts"
import * as schemas from "./schemas.ts"

export interface AdminApp {
  readonly routes: readonly Route[]
  /** As the router has them: method and path. */
  readonly registered: readonly { readonly method: string; readonly path: string }[]
  /** Never rejects. @param peer address and port of who asks @param known called when the token is right */
  answer(request: Request, peer: string, known?: () => void): Promise<Response>
}

export interface AppNeeds {
  readonly parts: AdminParts
  /** Those of the moment. */
  readonly tokens: () => readonly Token[]
  /** A request whose token is none: for the log. */
  readonly onRefused: (text: string) => void
  /** A defect. */
  readonly onFault: (error: unknown, peer: string) => void
}

type Types = ReturnType<typeof parameterTypes>

interface Environment {
  readonly Bindings: From
}

/** Where a request comes from. */
interface From {
  readonly peer: string
  readonly known: () => void
}

export function createAdminApp({ parts, tokens, onRefused, onFault }: AppNeeds): AdminApp {
  const attempts = new Attempts()
  const routes = [...aboutRoutes(), ...listRoutes, ...happenedRoutes, ...operationRoutes, documentRoute()]
  // Made once, when somebody asks for it.
  let made: string | undefined
  function documentRoute(): Route {
    return reading({
      path: documentPath.slice(base.length),
      operation: "getDocument",
      about: "This document.",
      input: schemas.nothing,
      answer: schemas.document,
      run: () => {
        made ??= jsonText(openApiDocument(routes, parts.version))
        return { body: JSON.parse(made) }
      },
    })
  }

  const app = new Hono<Environment>()

  /** Throws Refused. */
  const asking = (request: Request, { peer, known }: From): Asking => {
    const token = tokenOf(request.headers.get("authorization"), tokens())
    if (token !== undefined) {
      known()
      return { token, peer, stands: () => isAmong(tokens(), token) }
    }
    const given = request.headers.has("authorization")
    const wait = given ? attempts.failed(peer, parts.now()) : 0
    if (wait > 0) {
      const seconds = String(Math.ceil(wait / 1000))
      throw new Refused(429, `too many requests without a right token: wait for ${seconds} seconds`, {
        "retry-after": seconds,
        connection: "close",
      })
    }
    onRefused(`admin request from ${peer} refused: ${given ? "its token is none of ours" : "it has no token"}`)
    const what = given ? "the token is none of this broker's" : "a token is wanted"
    throw new Refused(401, `${what}: send Authorization: Bearer TOKEN, of "puremq token"`, {
      "www-authenticate": 'Bearer realm="puremq"',
    })
  }

  const served = async (route: Route, types: Types, request: Request, from: From): Promise<Answer> => {
    const { scope } = route
    const { peer } = from
    if (scope === undefined)
      return route.prepare({}).run({ parts, asking: { token: nobody, peer, stands: () => true } })
    const who = asking(request, from)
    if (scope === "read") return route.prepare(inputOf(request, types)).run({ parts, asking: who })
    const tell = (target: string | undefined, outcome: string) =>
      parts.tell({ event: "admin operation", token: who.token.name, peer, operation: route.operation, target, outcome })
    let prepared: Prepared | undefined
    try {
      if (who.token.scope !== "operate") throw new Refused(403, `the token ${who.token.name} may only read`)
      const { search } = new URL(request.url)
      if (route.from === "body" && search !== "") throw new Refused(400, "parameters go into the body here")
      if (route.from === "query" && request.body !== null) throw new Refused(400, "no body is taken here")
      prepared = route.prepare(route.from === "query" ? inputOf(request, types) : await bodyOf(request))
      const answer = await prepared.run({ parts, asking: who })
      tell(prepared.target, "done")
      return answer
    } catch (error) {
      tell(prepared?.target, error instanceof Refused ? error.message : "a defect in the broker")
      throw error
    }
  }

  for (const route of routes) {
    const types = parameterTypes(route)
    app.on(route.method, route.path, async (context) => {
      const { raw } = context.req
      // Nobody would read that stream.
      if (route.answer === undefined && raw.method === "HEAD")
        throw new Refused(405, "events take GET", { allow: "GET" })
      const answer = await served(route, types, raw, context.env)
      if ("events" in answer) {
        return new Response(answer.events, { headers: { ...headers, "content-type": "text/event-stream" } })
      }
      return new Response(jsonText(answer.body), {
        status: answer.status ?? 200,
        headers: { ...headers, "content-type": "application/json" },
      })
    })
  }
  app.notFound((context) => {
    const { path } = context.req
    const methods = routes.filter((route) => route.path === path).map(({ method }) => method)
    // Who has no token learns nothing of what there is.
    if (!routes.some((route) => route.path === path && route.scope === undefined)) asking(context.req.raw, context.env)
    if (methods.length === 0)
      throw new Refused(404, `there is nothing at this path; ${documentPath} says what there is`)
    const allow = [...methods, ...(methods.includes("GET") ? ["HEAD"] : [])].join(", ")
    throw new Refused(405, `this path takes ${allow}`, { allow })
  })
  app.onError((error, context) => {
    if (error instanceof Refused) return refusal(error)
    onFault(error, context.env.peer)
    return refusal(new Refused(500, "a defect in the broker: its log has it"))
  })

  return {
    routes,
    registered: app.routes.map(({ method, path }) => ({ method, path })),
    async answer(request, peer, known = () => undefined) {
      return app.fetch(request, { peer, known } satisfies From)
    },
  }
}

/** Of every answer: nothing of it is kept by anybody, or taken for something else. */
const headers: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
}

export function refusal({ status, message, headers: own }: Refused): Response {
  const all = { ...headers, "content-type": "application/problem+json", ...own }
  return new Response(problemText(status, message), { status, headers: all })
}

const nobody: Token = { name: "", scope: "read", sha256: Buffer.alloc(32) }

function tokenOf(header: string | null, tokens: readonly Token[]): Token | undefined {
  const [, given] = /^Bearer +([\w-]+)$/i.exec(header ?? "") ?? []
  return given === undefined || given.length > longestToken ? undefined : findToken(tokens, given)
}

/** The query, each parameter once: texts, and numbers and flags as they are written. Throws Refused. */
function inputOf(request: Request, types: Types): Record<string, unknown> {
  const input: Record<string, unknown> = Object.create(null)
  const { search, searchParams } = new URL(request.url)
  try {
    decodeURIComponent(search.replaceAll("+", " "))
  } catch {
    throw new Refused(400, "the parameters are no text in UTF-8: write % as %25, and other bytes as those of UTF-8")
  }
  for (const [name, value] of searchParams) {
    if (name in input) throw new Refused(400, `${shown(name)} is given twice`)
    const type = types.get(name)
    if (type === "integer" && /^-?\d{1,15}$/.test(value)) input[name] = Number(value)
    else if (type === "boolean" && /^(?:true|false)$/.test(value)) input[name] = value === "true"
    else input[name] = value
  }
  return input
}

/** Throws Refused. */
async function bodyOf(request: Request): Promise<unknown> {
  const bytes = await request.arrayBuffer()
  if (bytes.byteLength === 0) return {}
  const type = request.headers.get("content-type") ?? ""
  if (!/^application\/json *(;|$)/i.test(type))
    throw new Refused(415, "the body has to be JSON: send Content-Type: application/json")
  let [text, value]: [string, unknown] = ["", undefined]
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes)
  } catch {
    throw new Refused(400, "the body is no text in UTF-8")
  }
  try {
    value = JSON.parse(text)
  } catch {
    throw new Refused(400, "the body is no JSON")
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Refused(400, "the body has to be a JSON object")
  const repeated = repeatedMember(text)
  if (repeated !== undefined) throw new Refused(400, `${shown(repeated)} is given twice`)
  // JSON can say half of a character; MQTT cannot.
  for (const [name, member] of Object.entries(value)) {
    if (typeof member === "string" && /\p{Cs}/u.test(member))
      throw new Refused(400, `${shown(name)} is no Unicode text: it has half of a surrogate pair`)
  }
  return value
}

function shown(name: string): string {
  return name.length > 40 ? `${name.slice(0, 40)}...` : name
}
