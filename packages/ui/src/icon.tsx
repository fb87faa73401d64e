const PATHS = {
  home: 'M2.5 7.5 8 3l5.5 4.5V13a.5.5 0 0 1-.5.5H9.5v-4h-3v4H3a.5.5 0 0 1-.5-.5Z',
  apps: 'M2.5 2.5h4.5v4.5H2.5ZM9 2.5h4.5v4.5H9ZM2.5 9h4.5v4.5H2.5ZM9 9h4.5v4.5H9Z',
  cluster: 'M8 1.8 13.6 5v6L8 14.2 2.4 11V5ZM2.4 5 8 8.2 13.6 5M8 8.2v6',
  environment: 'M8 2 14 5 8 8 2 5ZM2 8l6 3 6-3M2 11l6 3 6-3',
  token: 'M9.5 6.5a3 3 0 1 0-1.2 2.4L10 10.5h1.5V12H13v1.5h1.5v-2L9.2 8M5.2 5.8h0',
  who: 'M8 8a2.8 2.8 0 1 0 0-5.6A2.8 2.8 0 0 0 8 8ZM2.8 13.8a5.2 5.2 0 0 1 10.4 0',
  people:
    'M6 7.8a2.4 2.4 0 1 0 0-4.8 2.4 2.4 0 0 0 0 4.8ZM1.5 13.2a4.5 4.5 0 0 1 9 0M10.6 3.2a2.4 2.4 0 0 1 0 4.4M11.8 9.2a4.5 4.5 0 0 1 2.7 4',
  search: 'M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9ZM10.5 10.5 14 14',
  check: 'M3 8.5 6.5 12 13 4.5',
  cross: 'M4 4l8 8M12 4l-8 8',
  alert: 'M8 2 14.5 13.5h-13ZM8 6.5v3.2M8 11.6h0',
  turn: 'M6 3.5 10.5 8 6 12.5',
  down: 'M3.5 6 8 10.5 12.5 6',
  busy: 'M8 2a6 6 0 1 1-6 6',
  wait: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 4.8V8l2.2 1.6',
  stop: 'M4 4h8v8H4Z',
  info: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 7.4v3.6M8 5h0',
  logs: 'M2.5 4h11M2.5 8h11M2.5 12h7',
  terminal: 'M3 4.5 6.5 8 3 11.5M8 12h5',
  undo: 'M6 3 3 6l3 3M3 6h6.5a3.5 3.5 0 0 1 0 7H6',
  deploy: 'M8 11V3M4.5 6.2 8 2.8l3.5 3.4M2.5 13.5h11',
  scale: 'M9.5 2.5h4v4M13.5 2.5 9 7M6.5 13.5h-4v-4M2.5 13.5 7 9',
  restart: 'M13 8a5 5 0 1 1-1.5-3.6M13 2v3h-3',
  trash: 'M2.5 4.5h11M6 4V2.5h4V4M4 4.5l.6 9h6.8l.6-9',
  more: 'M3.5 8h0M8 8h0M12.5 8h0',
  copy: 'M5.5 5.5h8v8h-8ZM3 10.5h-.5v-8h8V3',
  sun: 'M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM8 1.2v1.3M8 13.5v1.3M1.2 8h1.3M13.5 8h1.3M3.2 3.2l.9.9M11.9 11.9l.9.9M12.8 3.2l-.9.9M4.1 11.9l-.9.9',
  moon: 'M13.5 9.5A6 6 0 0 1 6.5 2.5a6 6 0 1 0 7 7Z',
  link: 'M6.5 9.5 13 3M9 2.8h4.2V7M11.5 9.5v4h-9v-9h4',
  plus: 'M8 3v10M3 8h10',
  image: 'M2.5 3h11v10h-11ZM2.5 10.5l3-3 2.5 2.5 2-2 3.5 3.5M10.5 6h0',
  download: 'M8 3v8M4.5 7.8 8 11.2l3.5-3.4M2.5 13.5h11',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  play: 'M5 3.2 12.5 8 5 12.8Z',
  rise: 'M8 13V3.5M4.5 7 8 3.5 11.5 7',
  fall: 'M8 3v9.5M4.5 9 8 12.5 11.5 9',
  explore: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM10.6 5.4 9.2 9.2 5.4 10.6 6.8 6.8Z',
  changes:
    'M5 3v10M5 5.5h4.5a2 2 0 0 1 2 2V9M5 3h0M11.5 11.5h0M3.5 3a1.5 1.5 0 1 0 3 0 1.5 1.5 0 0 0-3 0M10 10.5a1.5 1.5 0 1 0 3 0 1.5 1.5 0 0 0-3 0',
  columns: 'M2.5 3h11v10h-11ZM6.2 3v10M9.8 3v10',
  facets: 'M2.5 4h11M4.5 8h7M6.5 12h3',
  help: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM6.2 6.3a1.8 1.8 0 1 1 2.6 1.6c-.6.3-.8.6-.8 1.2M8 11.2h0',
  projects: 'M2.5 4.5h4l1.5 1.5h5.5v7h-11Z',
  tenant: 'M3 13.5v-11h6v11M9 6.5h4v7M1.5 13.5h13M5 5h2M5 7.5h2M5 10h2M11 9h0M11 11h0',
  enter: 'M10 2.5h3.5v11H10M3 8h7M7 5l3 3-3 3',
  lock: 'M4 7.5h8v6H4ZM5.5 7.5V5a2.5 2.5 0 0 1 5 0v2.5',
  leave: 'M6 2.5H2.5v11H6M10 5l3 3-3 3M13 8H6',
} as const
export type IconName = keyof typeof PATHS

/** A drawing beside a word; never alone without a label for those who do not see it. */
export function Icon({ name, turning }: { name: IconName; turning?: boolean }) {
  const heavy = name === 'more' ? 2.6 : undefined
  return (
    <svg className={turning ? 'icon turning' : 'icon'} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} strokeWidth={heavy} />
    </svg>
  )
}
