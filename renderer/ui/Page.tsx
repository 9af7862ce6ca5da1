/** The frame of a screen: header with crumbs, one h1, chips and actions; sections below. */
import { Link } from '@tanstack/react-router';
import { type ReactNode, useEffect } from 'react';
import { setTitle } from './title.ts';

export type Crumb = { label: string; to?: string };

/** Header row of a screen. Sets the document title; `aside` stands after the title, `actions` at the right. */
export function PageHeader({
  title,
  crumbs = [],
  aside,
  actions,
}: {
  title: string;
  crumbs?: Crumb[];
  aside?: ReactNode;
  actions?: ReactNode;
}) {
  useEffect(() => {
    setTitle(title);
  }, [title]);
  return (
    <header className="page-header">
      {crumbs.length > 0 && (
        <nav aria-label="Breadcrumb" className="crumbs">
          {crumbs.map(crumb => (
            <span key={crumb.label}>
              {crumb.to === undefined ? crumb.label : <Link to={crumb.to}>{crumb.label}</Link>}
              <span aria-hidden className="crumb-sep">
                ›
              </span>
            </span>
          ))}
        </nav>
      )}
      <h1 title={title}>{title}</h1>
      <div className="page-aside">{aside}</div>
      {actions !== undefined && <div className="page-actions">{actions}</div>}
    </header>
  );
}

/** A titled block of a screen or an inspector. `lead` is one sentence under the heading. */
export function Section({
  title,
  lead,
  actions,
  children,
  level = 2,
}: {
  title: string;
  lead?: ReactNode;
  actions?: ReactNode;
  children?: ReactNode;
  level?: 2 | 3;
}) {
  const Heading = level === 2 ? 'h2' : 'h3';
  return (
    <section className="section">
      <div className="section-head">
        <Heading>{title}</Heading>
        {actions}
      </div>
      {lead !== undefined && <p className="section-lead">{lead}</p>}
      {children}
    </section>
  );
}

/** The scrolling body of a screen, readable width unless `wide`. */
export function PageBody({ children, wide }: { children: ReactNode; wide?: boolean }) {
  return (
    <div className="page-body">
      <div className={wide ? 'page-column wide' : 'page-column'}>{children}</div>
    </div>
  );
}

/** Small facts beside a title: `<Chip>2 m 41 s</Chip>`. */
export function Chip({ children, mono, title }: { children: ReactNode; mono?: boolean; title?: string }) {
  return (
    <span className={mono ? 'chip mono' : 'chip'} title={title}>
      {children}
    </span>
  );
}
