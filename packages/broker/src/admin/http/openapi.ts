// The OpenAPI document (3.1), made of the routes and their validators.

import { toJsonSchema } from "@valibot/to-json-schema"
import { titleOf } from "./problem.ts"
import { base, type Route } from "./route.ts"
import { problem, type Schema } from "./schemas.ts"

type Json = Readonly<Record<string, unknown>>

/** What any route may answer beside its own. */
const always = [400, 403, 405, 431, 500, 503]
const withToken = [401, 429]
const withBody = [411, 413, 415]

export function openApiDocument(routes: readonly Route[], version: string): Json {
  const paths: Record<string, Record<string, Json>> = {}
  for (const route of routes) {
    const path = paths[route.path] ?? {}
    path[route.method.toLowerCase()] = operationOf(route)
    paths[route.path] = path
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "PureMQ admin API",
      version,
      license: { name: "MIT", identifier: "MIT" },
      description: [
        "What a running broker shows of itself and lets be done to it.",
        "Times are texts of RFC 3339 in UTC. Errors are application/problem+json.",
        "A list comes in pages: hand `next` back as `cursor`, as it is, until there is none.",
        "An entry that is there from the first page to the last is on one of them, once; a page may have fewer items than `limit`.",
      ].join(" "),
    },
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: {
        token: {
          type: "http",
          scheme: "bearer",
          description: "A token of the file `admin.tokenFile`, written by `puremq token`. `operate` includes `read`.",
        },
      },
      schemas: { Problem: jsonSchema(problem) },
    },
  }
}

function operationOf(route: Route): Json {
  const { scope, operation, about, from } = route
  const input = jsonSchema(route.input)
  const properties = Object.entries(objectOf(input["properties"]))
  const required = textsOf(input["required"])
  const statuses = [
    ...always,
    ...(scope === undefined ? [] : withToken),
    ...(from === "body" ? withBody : []),
    ...route.problems,
  ]
  return {
    operationId: operation,
    summary: about,
    tags: [scope ?? "health"],
    ...(scope === undefined && { security: [] }),
    ...(scope !== undefined && { "x-scope": scope }),
    ...(from === "query" && {
      parameters: properties.map(([name, schema]) => ({
        name,
        in: "query",
        required: required.includes(name),
        schema,
      })),
    }),
    ...(from === "body" && {
      requestBody: { required: required.length > 0, content: { "application/json": { schema: input } } },
    }),
    responses: {
      200: { description: "OK", content: contentOf(route) },
      ...Object.fromEntries([...new Set(statuses)].map((status) => [status, problemOf(status)])),
      ...(scope === undefined && { 503: { description: "It is not well.", content: contentOf(route) } }),
    },
  }
}

function contentOf({ answer }: Route): Json {
  if (answer === undefined) return { "text/event-stream": { schema: { type: "string" } } }
  return { "application/json": { schema: jsonSchema(answer) } }
}

function problemOf(status: number): Json {
  return {
    description: titleOf(status),
    content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
  }
}

/** OpenAPI 3.1 has the dialect of JSON Schema 2020-12, which needs no `$schema` of its own. */
function jsonSchema(schema: Schema<unknown>): Json {
  const { $schema: _, ...rest } = toJsonSchema(schema, { target: "draft-2020-12" })
  return { ...rest }
}

function objectOf(value: unknown): Json {
  return typeof value === "object" && value !== null ? { ...value } : {}
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : []
}

/** Parameters of a route's query that are no texts. */
export function parameterTypes({ input }: Route): ReadonlyMap<string, "integer" | "boolean"> {
  const types = new Map<string, "integer" | "boolean">()
  for (const [name, schema] of Object.entries(objectOf(jsonSchema(input)["properties"]))) {
    const { type } = objectOf(schema)
    if (type === "integer" || type === "boolean") types.set(name, type)
  }
  return types
}

/** Where it is served. */
export const documentPath: string = `${base}/openapi.json`
