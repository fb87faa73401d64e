/** What became of a terminal's connection. */
export type SocketState = 'connecting' | 'open' | 'lost' | 'ended' | 'signed-out'

export interface TerminalSocketOptions {
  /** The WebSocket's address for output after `offset` bytes. */
  urlAt: (offset: number) => string
  onOutput: (bytes: Uint8Array) => void
  /** Output before `offset` is gone on the server; what is on the screen no longer fits. */
  onGap: () => void
  onState: (state: SocketState) => void
  onEnded: (ended: { exitCode: number | null; message: string }) => void
}

export interface TerminalSocket {
  send: (input: string) => void
  resize: (columns: number, rows: number) => void
  close: () => void
}

/**
 * Keeps a terminal connected: counts the bytes it has seen and, when the connection breaks, connects again and asks for
 * what came after them, waiting 0.5 s, then 1, 2, 4 and at most 8. A refusal by the server ends it, with the reason.
 */
export function connectTerminal(options: TerminalSocketOptions): TerminalSocket {
  let socket: WebSocket | undefined
  let offset = 0
  let attempt = 0
  let closed = false
  let timer: ReturnType<typeof setTimeout> | undefined
  let size: { columns: number; rows: number } | undefined
  const encoder = new TextEncoder()

  const control = (text: string) => {
    const frame = JSON.parse(text) as { offset?: number; ended?: { exitCode: number | null; message: string } }
    if (frame.offset !== undefined) {
      if (frame.offset !== offset) options.onGap()
      offset = frame.offset
    }
    if (frame.ended) {
      closed = true
      options.onEnded(frame.ended)
      options.onState('ended')
    }
  }
  const connect = () => {
    options.onState(attempt === 0 ? 'connecting' : 'lost')
    const next = new WebSocket(options.urlAt(offset))
    next.binaryType = 'arraybuffer'
    socket = next
    next.onopen = () => {
      attempt = 0
      options.onState('open')
      if (size) next.send(JSON.stringify(size))
    }
    next.onmessage = ({ data }) => {
      if (typeof data === 'string') return control(data)
      const bytes = new Uint8Array(data as ArrayBuffer)
      offset += bytes.length
      options.onOutput(bytes)
    }
    next.onclose = ({ code, reason }) => {
      if (closed || socket !== next) return
      // 4000 + HTTP status: the server refuses, and would again; 4401 is for the sign-in, 4408 and 4429 pass.
      if (code >= 4400 && code < 4500 && code !== 4408 && code !== 4429) {
        closed = true
        options.onEnded({ exitCode: null, message: reason })
        options.onState(code === 4401 ? 'signed-out' : 'ended')
        return
      }
      attempt += 1
      options.onState('lost')
      timer = setTimeout(connect, Math.min(8_000, 250 * 2 ** attempt))
    }
  }
  connect()
  return {
    send: (input) => {
      if (socket?.readyState === WebSocket.OPEN) socket.send(encoder.encode(input))
    },
    resize: (columns, rows) => {
      size = { columns, rows }
      if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(size))
    },
    close: () => {
      closed = true
      clearTimeout(timer)
      socket?.close()
    },
  }
}
