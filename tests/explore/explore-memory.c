/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The memory of a schedule. What is allocated during one comes from an arena that
 * starts anew with each, so that the same choices give the same addresses (some locks
 * are chosen by address), and nothing in it is used twice, so that
 *
 *  - an operation on freed memory is an operation on memory known to be freed,
 *  - what is left after teardown is a leak of this very schedule.
 *
 * malloc () and its kind are replaced for the whole program; away from a schedule, and
 * under AddressSanitizer, which does all this better, they are the C library's. */

#include "config.h"

#include "explore-private.h"

#include <errno.h>
#include <execinfo.h>
#include <malloc.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#if !defined (__SANITIZE_ADDRESS__) && !defined (__SANITIZE_THREAD__) && defined (__GLIBC__)

#define ARENA_SIZE ((gsize) 16 << 20)
#define N_ARENAS 64
#define GRAIN 16
#define N_PLACES 10
#define MAX_LEFT 8
/* One-time initialisation is best done with before addresses are to be the same. */
#define WARM_UP 2

#define ALLOCATED 0x51ab0a1u
#define FREED 0xf4eedu
#define FILL_NEW 0xcd
#define FILL_FREED 0xdf

typedef struct
{
  gsize size;
  guint32 state;
  guint32 number;
} Block;

G_STATIC_ASSERT (sizeof (Block) == GRAIN);

extern void *__libc_malloc (size_t size);
extern void *__libc_calloc (size_t n, size_t size);
extern void *__libc_realloc (void *block, size_t size);
extern void *__libc_memalign (size_t alignment, size_t size);
extern void  __libc_free (void *block);

static char *arenas;    /* N_ARENAS of them: one in which something is left is not used again */
static char *arena;
static gsize used;
static guint n_blocks, n_allocated;
static guint warm_up;
static guint8 freed[ARENA_SIZE / GRAIN];
static gboolean tracing;
static struct
{
  guint number;
  int n_places;
  void *places[N_PLACES];
} traces[4096];
static _Thread_local gboolean inside;

static gboolean
is_ours (const void *block)
{
  return arenas != NULL && (gsize) ((const char *) block - arenas) < N_ARENAS * ARENA_SIZE;
}

static void *
take (gsize alignment,
      gsize size)
{
  gsize at = used + sizeof (Block);
  Block *block;

  at = (at + alignment - 1) & ~(alignment - 1);
  if (size > ARENA_SIZE || at + size + GRAIN > ARENA_SIZE)
    {
      inside = FALSE;
      explore_fail ("a schedule needs more than %u MiB of memory", (guint) (ARENA_SIZE >> 20));
    }

  block = (Block *) (arena + at) - 1;
  block->size = size;
  block->state = ALLOCATED;
  block->number = n_blocks++;
  n_allocated++;
  used = (at + size + GRAIN - 1) & ~(gsize) (GRAIN - 1);
  memset (arena + at, FILL_NEW, size);

  if (tracing && block->number < G_N_ELEMENTS (traces))
    {
      inside = FALSE;
      traces[block->number].n_places = backtrace (traces[block->number].places, N_PLACES);
      inside = TRUE;
    }

  return arena + at;
}

static void
give (void *memory)
{
  Block *block = (Block *) memory - 1;
  gsize first = ((char *) memory - arena) / GRAIN;

  /* Left from an earlier schedule: one-time initialisation that was done again. */
  if ((char *) memory < arena)
    return;

  if (block->state != ALLOCATED)
    {
      inside = FALSE;
      explore_fail (block->state == FREED ? "memory is freed twice"
                                          : "what is freed is not a block");
    }

  if (inside)
    explore_account_freed (memory, block->size);

  block->state = FREED;
  n_allocated--;
  memset (memory, FILL_FREED, block->size);
  memset (freed + first, 1, (block->size + GRAIN - 1) / GRAIN);
}

void *
malloc (size_t size)
{
  return inside ? take (GRAIN, size) : __libc_malloc (size);
}

void *
calloc (size_t n,
        size_t size)
{
  gsize bytes;

  if (!inside)
    return __libc_calloc (n, size);
  if (__builtin_mul_overflow (n, size, &bytes))
    return NULL;

  return memset (take (GRAIN, bytes), 0, bytes);
}

void
free (void *block)
{
  if (block == NULL)
    return;

  if (is_ours (block))
    give (block);
  else
    __libc_free (block);
}

void *
realloc (void  *block,
         size_t size)
{
  void *moved;
  gsize old;

  if (block == NULL)
    return malloc (size);
  if (!is_ours (block))
    return __libc_realloc (block, size);

  old = ((Block *) block - 1)->size;
  moved = malloc (size);
  memcpy (moved, block, MIN (old, size));
  give (block);

  return moved;
}

void *
memalign (size_t alignment,
          size_t size)
{
  return inside ? take (MAX (alignment, GRAIN), size) : __libc_memalign (alignment, size);
}

void *
aligned_alloc (size_t alignment,
               size_t size)
{
  return memalign (alignment, size);
}

int
posix_memalign (void **block,
                size_t alignment,
                size_t size)
{
  *block = memalign (alignment, size);

  return *block ? 0 : ENOMEM;
}

static void
new_arena (void)
{
  if (arenas == NULL)
    {
      void *place;

      /* The first call allocates. */
      backtrace (&place, 1);
      arenas = mmap (NULL, N_ARENAS * ARENA_SIZE, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      if (arenas == MAP_FAILED)
        g_error ("no memory for the arenas");
      arena = arenas;
    }
  else
    {
      arena += ARENA_SIZE;
      if (arena == arenas + N_ARENAS * ARENA_SIZE)
        explore_fail ("too many schedules leave memory behind");
    }
  used = 0;
}

void
explore_memory_begin (gboolean fresh)
{
  if (arena == NULL)
    new_arena ();

  memset (freed, 0, used / GRAIN + 1);
  used = 0;
  n_blocks = 0;
  n_allocated = 0;
  if (fresh)
    warm_up = WARM_UP;
}

guint
explore_memory_end (void)
{
  guint left = n_allocated;

  if (left > 0 && !tracing)
    {
      memset (freed, 0, used / GRAIN + 1);
      new_arena ();
    }
  warm_up++;

  return left;
}

void
explore_memory_trace (gboolean on)
{
  tracing = on;
}

void
explore_memory_describe (GString *report)
{
  gsize at = 0;
  guint n = 0;

  while (at < used && n < MAX_LEFT)
    {
      /* Blocks lie close unless they were aligned: look for the next head. */
      Block *block = (Block *) (arena + at);

      if ((block->state != ALLOCATED && block->state != FREED) || block->number >= n_blocks)
        {
          at += GRAIN;
          continue;
        }
      if (block->state == ALLOCATED)
        {
          n++;
          g_string_append_printf (report, "\n%zu bytes:", block->size);
          if (block->number < G_N_ELEMENTS (traces))
            explore_report_places (report, (gconstpointer *) traces[block->number].places,
                                   traces[block->number].n_places, "\n    ");
        }
      at += sizeof (Block) + ((block->size + GRAIN - 1) & ~(gsize) (GRAIN - 1));
    }
}

gboolean
explore_memory_is_freed (gconstpointer address)
{
  return is_ours (address) && (const char *) address >= arena
         && freed[((const char *) address - arena) / GRAIN];
}

void
explore_memory_enter (gboolean now_inside)
{
  inside = now_inside && warm_up >= WARM_UP && !run.model->may_leak;
}

#else

void
explore_memory_begin (gboolean fresh)
{
}

guint
explore_memory_end (void)
{
  return 0;
}

void
explore_memory_trace (gboolean on)
{
}

void
explore_memory_describe (GString *report)
{
}

gboolean
explore_memory_is_freed (gconstpointer address)
{
  return FALSE;
}

void
explore_memory_enter (gboolean inside)
{
}

#endif
