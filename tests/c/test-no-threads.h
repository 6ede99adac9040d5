/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* For one file of a program: a system that gives no thread when it is told so. */

#pragma once

#include <glib.h>

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>

typedef int (*PthreadCreate) (pthread_t *, const pthread_attr_t *, void *(*) (void *), void *);

static gint no_threads; /* atomic */

/* The one in libc gives way to it, also inside GLib. Exported, though this program hides what
 * it does not say. */
__attribute__ ((visibility ("default"))) int
pthread_create (pthread_t            *thread,
                const pthread_attr_t *attributes,
                void               *(*func) (void *),
                void                 *data)
{
  static PthreadCreate next;

  if (g_atomic_int_get (&no_threads))
    return EAGAIN;

  if (next == NULL)
    next = (PthreadCreate) dlsym (RTLD_NEXT, "pthread_create");

  return next (thread, attributes, func, data);
}
