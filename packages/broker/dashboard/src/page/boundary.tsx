// Holds a view that fails, so that the rest of the page goes on.

import { Component, type ComponentChildren } from "preact"

interface Props {
  readonly children: ComponentChildren
  /** What it shows: when that is another, it is tried again. */
  readonly of: string
}

interface State {
  readonly failed: { readonly of: string; readonly message: string } | undefined
}

export class Boundary extends Component<Props, State> {
  override state: State = { failed: undefined }

  override componentDidCatch(error: unknown): void {
    console.error(error)
    this.setState({ failed: { of: this.props.of, message: error instanceof Error ? error.message : String(error) } })
  }

  override render(): ComponentChildren {
    const { failed } = this.state
    if (failed?.of !== this.props.of) return this.props.children
    return (
      <p class="problem" role="alert">
        This view has failed: {failed.message}
      </p>
    )
  }
}
