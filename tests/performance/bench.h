/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What all benchmark programs share: a table of cases, one of which runs in a process,
 * and one line of JSON that says what it cost. A process runs one case and no more, so
 * that neither the heap nor the threads of one case can help or harm the next. */

#pragma once

#include <concur.h>
#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct
{
  const char *name;
  void      (*run) (void);
} BenchCase;

typedef struct
{
  int      n;       /* jobs, or items */
  int      workers; /* or producers */
  int      work;    /* rounds of arithmetic in each job, see bench_work () */
  int      repeat;  /* how often to do all n */
  int      pending; /* what waits meanwhile */
  int      size;    /* bytes of a message */
  gboolean pin;     /* everything on one processor */
} BenchOptions;

extern BenchOptions bench_options;

/* A program's main (): reads the options, runs the case, prints the line. */
int      bench_main      (int               argc,
                          char            **argv,
                          const BenchCase  *cases);

/* Between these two stands what is measured; may be called in turn many times, costs add
 * up. The figures are divided by n × repeat. */
void     bench_start     (void);
void     bench_stop      (void);

/* One more figure for the line. */
void     bench_report    (const char       *name,
                          double            value);

/* For latencies, where µs are too coarse. */
guint64  bench_now_ns    (void);
/* Takes one round trip each, to be reported as p50, p90 and p99. */
void     bench_sample    (guint64           ns);

/* Bytes the program has from malloc, blocks of GSlice included; -1 where the C library
 * cannot say. */
gint64   bench_allocated (void);
/* Bytes of memory the program occupies. */
gint64   bench_resident  (void);

/* Every case adds up its results and ends with this, so that none is fast because it
 * did not do the work. Jobs are numbered from 1. */
void     bench_check_sum (gint64            sum,
                          gint64            n);

/* The case cannot run here: says why, and the process ends with 77, as meson and automake have it. */
void     bench_skip      (const char       *why) G_GNUC_NORETURN;

/* A GObject subclass that does nothing: what one object costs. */
#define BENCH_TYPE_OBJECT (bench_object_get_type ())
G_DECLARE_FINAL_TYPE (BenchObject, bench_object, BENCH, OBJECT, GObject)

/* GLib programs submit from callbacks, and a context that is being dispatched belongs to
 * its thread. Without this a context driven by hand is free between two iterations, and
 * another thread that has something for it may take it and run it. */
void     bench_own_main_context (void);

/* A ThreadExecutor with as many workers as asked for, and its end. */
ConcurExecutor *bench_executor_new (void);
void     bench_executor_end (ConcurExecutor *executor);

/* A gate that jobs stand in front of, for executors that cannot be paused. */
typedef struct
{
  GMutex lock;
  GCond  cond;
  int    waiting;
  gboolean open;
} BenchGate;

void     bench_gate_pass (BenchGate        *gate);
void     bench_gate_full (BenchGate        *gate,
                          int               n);
void     bench_gate_open (BenchGate        *gate);

/* The work of a job: a chain in which each step needs the one before it, so that its
 * length is a number of steps, the same for all, and not a time somebody calibrated while
 * a neighbour was busy. */
static inline void
bench_work (guint64 seed)
{
  for (int i = 0; i < bench_options.work; i++)
    seed = seed * G_GUINT64_CONSTANT (6364136223846793005) + G_GUINT64_CONSTANT (1442695040888963407);

  /* The compiler must believe that somebody looks at it. */
  __asm__ volatile ("" : : "r" (seed));
}

G_END_DECLS
