import { FitAddon } from '@xterm/addon-fit'
import { Terminal } from '@xterm/xterm'
import '@xterm/xterm/css/xterm.css'
import { useEffect, useRef } from 'react'
import { useTheme } from '../theme.ts'
import { withStrictStyles } from './strict-styles.ts'
import { connectTerminal, type SocketState } from './terminal-socket.ts'

const LIGHT = {
  background: '#ffffff',
  foreground: '#1b1f26',
  cursor: '#1b1f26',
  selectionBackground: '#bcd2f5',
  black: '#1b1f26',
  red: '#b8202a',
  green: '#1a7440',
  yellow: '#8a5200',
  blue: '#1d5fd0',
  magenta: '#8a3ab9',
  cyan: '#0b6e7d',
  white: '#535b68',
  brightBlack: '#6b7482',
  brightRed: '#b8202a',
  brightGreen: '#1a7440',
  brightYellow: '#8a5200',
  brightBlue: '#1d5fd0',
  brightMagenta: '#8a3ab9',
  brightCyan: '#0b6e7d',
  brightWhite: '#1b1f26',
}
const DARK = { background: '#0e1115', foreground: '#e5e8ed', cursor: '#e5e8ed', selectionBackground: '#2c4a7c' }

/** What the screen needs to be connected; the terminal itself lives on the server. */
export interface TerminalScreenProps {
  label: string
  urlAt: (offset: number) => string
  onState: (state: SocketState) => void
  onEnded: (ended: { exitCode: number | null; message: string }) => void
}

/** A screen of a terminal; made anew anywhere, it shows again what the server has kept. */
export function XtermScreen({ label, urlAt, onState, onEnded }: TerminalScreenProps) {
  const box = useRef<HTMLDivElement>(null)
  const theme = useTheme()
  const screen = useRef<Terminal>(null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: one connection for the life of the screen
  useEffect(() => {
    const element = box.current
    if (!element) return
    const terminal = new Terminal({
      fontFamily: getComputedStyle(document.documentElement).getPropertyValue('--mono') || 'monospace',
      fontSize: 13,
      scrollback: 10_000,
      cursorBlink: false,
      theme: document.documentElement.dataset.theme === 'dark' ? DARK : LIGHT,
    })
    screen.current = terminal
    const fit = new FitAddon()
    terminal.loadAddon(fit)
    withStrictStyles(() => terminal.open(element))
    terminal.textarea?.setAttribute('aria-label', label)
    const socket = connectTerminal({
      urlAt,
      onState,
      onEnded,
      onOutput: (bytes) => terminal.write(bytes),
      onGap: () => terminal.reset(),
    })
    terminal.onData((input) => socket.send(input))
    terminal.onResize(({ cols, rows }) => socket.resize(cols, rows))
    const fitNow = () => {
      if (element.clientWidth > 0 && element.clientHeight > 0) fit.fit()
    }
    const watcher = new ResizeObserver(fitNow)
    watcher.observe(element)
    fitNow()
    socket.resize(terminal.cols, terminal.rows)
    terminal.focus()
    return () => {
      watcher.disconnect()
      socket.close()
      terminal.dispose()
    }
  }, [])
  useEffect(() => {
    if (screen.current) screen.current.options.theme = theme === 'dark' ? DARK : LIGHT
  }, [theme])
  return <div className="xterm-box" ref={box} data-testid="terminal" />
}
