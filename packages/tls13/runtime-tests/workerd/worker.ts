import { connect } from "../../dist/adapters/workerd.js"
import { checks, type Setting } from "../checks.ts"

interface Env {
  readonly SETTING: Setting
}

/** What workerd runs, as the default export of the module that the bundle is made of. */
export const worker = {
  /** Runs the checks when it is asked over HTTP. */
  async fetch(_request: Request, { SETTING }: Env): Promise<Response> {
    try {
      return new Response((await checks({ connect }, SETTING)).join("\n"))
    } catch (error) {
      return new Response(error instanceof Error ? (error.stack ?? error.message) : String(error), { status: 500 })
    }
  },
}
