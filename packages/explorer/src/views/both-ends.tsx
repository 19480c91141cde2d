// The client, the server, and the wire between them, as they are at the step.

import type { JSX } from "preact"
import { endAt } from "../reading/ends.ts"
import { EndColumn } from "./end-column.tsx"
import type { ViewProps } from "./view.ts"
import { Wire } from "./wire.tsx"

export function BothEnds({ timeline, step, select }: ViewProps): JSX.Element {
  const connection = timeline.steps[step]?.connection ?? 0
  return (
    <div class="both-ends">
      <EndColumn
        end="client"
        witness={timeline.witness}
        state={endAt(timeline, connection, step, "client")}
        select={select}
      />
      <Wire timeline={timeline} connection={connection} step={step} />
      <EndColumn
        end="server"
        witness={timeline.witness}
        state={endAt(timeline, connection, step, "server")}
        select={select}
      />
    </div>
  )
}
