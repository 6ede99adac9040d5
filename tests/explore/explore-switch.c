/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How the token goes from thread to thread.
 *
 * Anywhere: each thread waits at a futex of its own. That is two system calls a switch,
 * and on a busy machine each of them lets other programs in between.
 *
 * On x86-64: a thread of the model is a stack and a thread-local storage. The storage is
 * lent by a thread of the system that sleeps for ever; all stacks are run by the one
 * thread of the controller, which changes both at a switch. To all code but the kernel
 * these are different threads, and a switch costs some ten nanoseconds. */

#include "config.h"

#include "explore-private.h"

#include <pthread.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static void
start_system_thread (gpointer (*func) (gpointer data),
                     gpointer   data)
{
  pthread_t thread;

  if (pthread_create (&thread, NULL, func, data) != 0)
    explore_fail ("no more threads of the system");
  pthread_detach (thread);
}

#if defined (__x86_64__) && defined (__linux__) && !defined (__SANITIZE_ADDRESS__)                 \
  && !defined (__SANITIZE_THREAD__) && !defined (EXPLORE_FUTEX)

#include <asm/prctl.h>
#include <sched.h>
#include <sys/auxv.h>

#define STACK_SIZE ((gsize) 512 << 10)
#define GUARD_SIZE ((gsize) 4096)
#define HWCAP2_FSGSBASE_BIT (1 << 1)

typedef struct
{
  void *stack;
  _Atomic (void *) storage;
} Context;

static Context contexts[MAX_THREADS + 1];
static gboolean has_fsgsbase;

/* Saves what a function must preserve, and goes on where the other stack left off. */
extern void explore_swap_stacks (void **old_stack,
                                 void  *new_stack);

__asm__ (".text\n"
         ".globl explore_swap_stacks\n"
         ".type explore_swap_stacks, @function\n"
         "explore_swap_stacks:\n"
         "  pushq %rbp\n"
         "  pushq %rbx\n"
         "  pushq %r12\n"
         "  pushq %r13\n"
         "  pushq %r14\n"
         "  pushq %r15\n"
         "  movq %rsp, (%rdi)\n"
         "  movq %rsi, %rsp\n"
         "  popq %r15\n"
         "  popq %r14\n"
         "  popq %r13\n"
         "  popq %r12\n"
         "  popq %rbx\n"
         "  popq %rbp\n"
         "  ret\n"
         ".size explore_swap_stacks, .-explore_swap_stacks\n");

static void *
get_storage (void)
{
  unsigned long base = 0;

  syscall (SYS_arch_prctl, ARCH_GET_FS, &base);

  return (void *) base;
}

/* The thread of the system, which only lends its storage. */
static gpointer
lender_main (gpointer data)
{
  Context *context = data;

  atomic_store (&context->storage, get_storage ());
  for (;;)
    pause ();

  return NULL;
}

static void
enter (void)
{
  explore_thread_main (run.current);
}

void
explore_context_start (int thread)
{
  Context *context = &contexts[thread];
  char *memory = mmap (NULL, STACK_SIZE + GUARD_SIZE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  void **top;
  int i;

  if (memory == MAP_FAILED)
    explore_fail ("no memory for a stack");
  mprotect (memory, GUARD_SIZE, PROT_NONE);

  /* What explore_swap_stacks () pops: six registers and where to return to. Above is
   * where enter () would return to; with it the stack is aligned. */
  top = (void **) (memory + GUARD_SIZE + STACK_SIZE);
  *--top = NULL;
  *--top = (void *) enter;
  for (i = 0; i < 6; i++)
    *--top = NULL;
  context->stack = top;

  start_system_thread (lender_main, context);
  while (atomic_load (&context->storage) == NULL)
    sched_yield ();

  if (contexts[CONTROLLER].storage == NULL)
    {
      has_fsgsbase = (getauxval (AT_HWCAP2) & HWCAP2_FSGSBASE_BIT) != 0;
      contexts[CONTROLLER].storage = get_storage ();
    }
}

void
explore_context_switch (int from,
                        int to)
{
  void *storage = atomic_load_explicit (&contexts[to].storage, CONCUR_RELAXED);

  if (has_fsgsbase)
    __asm__ volatile ("wrfsbase %0" : : "r" (storage) : "memory");
  else
    syscall (SYS_arch_prctl, ARCH_SET_FS, storage);

  explore_swap_stacks (&contexts[from].stack, contexts[to].stack);
}

#else

#include <linux/futex.h>

static ConcurWord tokens[MAX_THREADS + 1];

static void
take_token (int thread)
{
  while (!atomic_exchange (&tokens[thread], 0))
    syscall (SYS_futex, &tokens[thread], FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, NULL, NULL, 0);
}

static gpointer
thread_main (gpointer data)
{
  Thread *self = data;

  take_token (self->id);
  explore_thread_main (self);

  return NULL;
}

void
explore_context_start (int thread)
{
  start_system_thread (thread_main, &run.threads[thread]);
}

void
explore_context_switch (int from,
                        int to)
{
  atomic_store (&tokens[to], 1);
  syscall (SYS_futex, &tokens[to], FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
  take_token (from);
}

#endif

/* The kernel sees one thread where there are many. */
extern long __real_syscall (long number, ...);
long        __wrap_syscall (long number, ...);

long
__wrap_syscall (long number,
                ...)
{
  long a[6];
  va_list args;
  guint i;

  if (number == SYS_gettid && explore_inside ())
    return G_MAXINT - run.current->id;

  va_start (args, number);
  for (i = 0; i < G_N_ELEMENTS (a); i++)
    a[i] = va_arg (args, long);
  va_end (args);

  return __real_syscall (number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
