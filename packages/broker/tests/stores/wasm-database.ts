// SQLite in WebAssembly, as the database that a host lends.

import sqlite from "node-sqlite3-wasm"
import type { SqlDatabase } from "../../src/stores/sql-folder.ts"

export class WasmDatabase implements SqlDatabase {
  readonly name = "DATABASE"
  readonly remedy = "REMEDY"
  readonly instead = "ANOTHER"
  readonly #database = new sqlite.Database(":memory:")

  run(statement: string, ...values: Parameters<SqlDatabase["run"]>[1][]) {
    return this.#database.all(statement, values.map(asCell)) as readonly Record<string, unknown>[]
  }

  together(work: () => void): void {
    this.run("SAVEPOINT one")
    try {
      work()
    } catch (error) {
      this.run("ROLLBACK TO one")
      throw error
    } finally {
      this.run("RELEASE one")
    }
  }

  async sync(): Promise<void> {}

  close(): void {
    this.#database.close()
  }
}

function asCell(value: string | number | null | ArrayBuffer | Uint8Array) {
  return value instanceof ArrayBuffer ? new Uint8Array(value) : value
}
