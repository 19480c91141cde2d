import type { JSX } from "preact"

export function Brand(): JSX.Element {
  return (
    <div class="brand">
      <svg viewBox="0 0 32 32" aria-hidden="true">
        <path d="M4 21h5l4-13 6 18 4-11 2 6h3" />
      </svg>
      PureMQ
    </div>
  )
}
