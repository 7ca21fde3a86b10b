/** Icons, drawn for Tandem on a grid of 20, one stroke wide. */
const PATHS = {
  chat: 'M3.5 5.5a2 2 0 0 1 2-2h9a2 2 0 0 1 2 2v6a2 2 0 0 1-2 2H9l-4 3v-3a2 2 0 0 1-1.5-2z',
  plus: 'M10 4v12M4 10h12',
  send: 'M10 16V4M5 9l5-5 5 5',
  stop: 'M6 6h8v8H6z',
  docs: 'M5 3.5h7l3 3v10H5zM8 10h4M8 13h4',
  sun: 'M10 6.5a3.5 3.5 0 1 1 0 7 3.5 3.5 0 0 1 0-7zM10 2v1.5M10 16.5V18M2 10h1.5M16.5 10H18M4.3 4.3l1.1 1.1M14.6 14.6l1.1 1.1M4.3 15.7l1.1-1.1M14.6 5.4l1.1-1.1',
  moon: 'M16 11.5A6.5 6.5 0 0 1 8.5 4a6.5 6.5 0 1 0 7.5 7.5z',
  system: 'M3 4.5h14v9H3zM7.5 16.5h5',
  keys: 'M3 5.5h14v9H3zM6 9h.01M9 9h.01M12 9h.01M14.5 9h.01M7 12h6',
  settings:
    'M4 6h6M14 6h2M4 14h2M10 14h6M10.5 6a1.75 1.75 0 1 0 3.5 0 1.75 1.75 0 0 0-3.5 0zM6.250 14a1.75 1.75 0 1 0 3.5 0 1.75 1.75 0 0 0-3.5 0z',
  list: 'M4 5.500h12M4 10h12M4 14.500h8',
  pencil: 'M4 16l.8-3.200L13.500 4.100l2.400 2.400L7.200 15.200z',
  trash: 'M4 6h12M8 6V4h4v2M5.500 6l.7 10h7.600l.7-10M8.500 9v4.500M11.500 9v4.500',
  copy: 'M7 7h9v9H7zM13 7V4H4v9h3',
  check: 'M4.500 10.500l3.500 3.500 7.500-8',
  retry: 'M15.500 8A6 6 0 1 0 16 11.500M16 4v4h-4',
  down: 'M10 4v12M5 11l5 5 5-5',
  close: 'M5 5l10 10M15 5L5 15',
  more: 'M4 10a.75.75 0 1 0 1.500 0 .75.75 0 0 0-1.500 0zM9.250 10a.75.75 0 1 0 1.500 0 .75.75 0 0 0-1.500 0zM14.500 10a.75.75 0 1 0 1.500 0 .75.75 0 0 0-1.500 0z',
  share: 'M10 12.500V3.500M6.500 6.500L10 3l3.500 3.500M6 9.500H4.500v7h11v-7H14',
  branch:
    'M6 4v12M6 13c0-4 8-2 8-6M4.250 4a1.75 1.75 0 1 0 3.500 0 1.75 1.75 0 0 0-3.500 0zM4.250 16a1.75 1.75 0 1 0 3.500 0 1.75 1.75 0 0 0-3.500 0zM12.250 5.500a1.75 1.75 0 1 0 3.500 0 1.75 1.75 0 0 0-3.500 0z',
  file: 'M10 3.500v9M6.500 9.500L10 13l3.500-3.500M4 16.500h12',
  minus: 'M4 10h12',
  whole: 'M4 8V4h4M12 4h4v4M16 12v4h-4M8 16H4v-4',
  studio:
    'M4 5.500a1.500 1.500 0 0 1 1.500-1.500h9a1.500 1.500 0 0 1 1.500 1.500v9a1.500 1.500 0 0 1-1.500 1.500h-9a1.500 1.500 0 0 1-1.500-1.500zM4.500 13.500l3.500-3.500 3 3 2-2 2.500 2.500M12 7.500a.75.75 0 1 0 1.500 0 .75.75 0 0 0-1.500 0z',
  train: 'M4 4v12h12M6.500 6c1 5.500 3.500 7 9 7.500',
  models: 'M10 3.500l6 3.250v6.500l-6 3.250-6-3.250v-6.500zM4 6.750l6 3.250 6-3.250M10 10v6.500',
  translate:
    'M2.500 5h8M6.500 3v2M9 5c-.8 3-3 5.500-6 7M4.500 7.500c1 2 2.700 3.500 4.500 4.300M9.500 17l4-9 4 9M10.900 14h5.200',
  summarise: 'M4 4.500h12M4 8h12M4 11.500h7M4 15h4.500M13 13l2.500 2.500L18 13',
  swap: 'M4 7h11M12 4l3 3-3 3M16 13H5M8 10l-3 3 3 3',
  book: 'M4.500 4.500h4a1.500 1.500 0 0 1 1.500 1.500v10a1.500 1.500 0 0 0-1.500-1.500h-4zM15.500 4.500h-4a1.500 1.500 0 0 0-1.500 1.500v10a1.500 1.500 0 0 1 1.500-1.500h4z',
  upload: 'M10 13V4M6.500 7.500L10 4l3.500 3.500M4 16.500h12',
  sliders: 'M5.500 4v5M5.500 13v3M3.500 11h4M14.500 4v2M14.500 10v6M12.500 8h4M10 4v8M10 16v0M8 14h4',
  left: 'M12 5l-5 5 5 5',
  right: 'M8 5l5 5-5 5',
} as const
export type IconName = keyof typeof PATHS

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  )
}

export interface IconButtonProps {
  icon: IconName
  label: string
  onClick: () => void
  class?: string
  disabled?: boolean
  /** Of a button that opens a menu: whether it is open. */
  menuOpen?: boolean
}

/** A button that shows only an icon, and has a name all the same. */
export function IconButton({
  icon,
  label,
  onClick,
  class: className = '',
  disabled = false,
  menuOpen,
}: IconButtonProps) {
  return (
    <button
      type="button"
      aria-haspopup={menuOpen === undefined ? undefined : 'menu'}
      aria-expanded={menuOpen}
      class={`icon-button ${className}`}
      aria-label={label}
      title={label}
      onClick={onClick}
      disabled={disabled}
    >
      <Icon name={icon} />
    </button>
  )
}
